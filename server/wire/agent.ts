import { z } from 'zod'

/** `GET B/oauth/userinfo` for an agent (contract §2.1); Go refuses null where it wants an object. */
export const AgentInfo = z
  .looseObject({
    sub: z.string(),
    name: z.string(),
    agent_id: z.string(),
    identity_type: z.literal('agent'),
    capabilities: z.array(z.string()),
    budget_policy: z.looseObject({}),
    tenant: z.string(),
  })
  .meta({ id: 'AgentInfo' })
export type AgentInfo = z.infer<typeof AgentInfo>

export const UserInfo = z
  .looseObject({ sub: z.string(), name: z.string(), email: z.string(), tenant: z.string() })
  .meta({ id: 'UserInfo' })
export type UserInfo = z.infer<typeof UserInfo>

/** `GET B/agents/me`: the union of the two documented shapes (contract §7 row 20). */
export const AgentsMe = z
  .looseObject({
    identity: z.looseObject({ id: z.string(), type: z.string(), tenant: z.string() }),
    capabilities: z.array(z.string()),
    workspace: z.looseObject({ slug: z.string(), api_base: z.string() }),
  })
  .meta({ id: 'AgentsMe' })
export type AgentsMe = z.infer<typeof AgentsMe>

/** `POST B/agents/ask` in both forms (contract §7 row 21). */
export const Ask = z
  .object({
    action: z.string().min(1).max(512).optional(),
    question: z.string().min(1).max(2048).optional(),
    context: z.record(z.string(), z.unknown()).optional(),
  })
  .refine((it) => it.action !== undefined || it.question !== undefined, {
    error: 'expected an action (or a question)',
    path: ['action'],
  })
  .meta({ id: 'Ask' })
export type Ask = z.infer<typeof Ask>

export const AskAnswer = z
  .looseObject({
    allowed: z.boolean(),
    action: z.string(),
    context: z.looseObject({}),
    reason: z.string(),
    audit_id: z.string().regex(/^[0-9a-f]{16}$/),
  })
  .meta({ id: 'AskAnswer' })
export type AskAnswer = z.infer<typeof AskAnswer>

export const RegisterAgent = z
  .object({
    name: z.string().min(1).max(128),
    client_id: z.string().max(128).optional(),
    description: z.string().max(1024).optional(),
    capabilities: z.array(z.string().max(128)).max(64).optional(),
    jwks_uri: z.url().optional(),
  })
  .meta({ id: 'RegisterAgent' })
export type RegisterAgent = z.infer<typeof RegisterAgent>

export const AgentRegistered = z
  .looseObject({
    agent_id: z.string(),
    client_id: z.string(),
    name: z.string(),
    status: z.string(),
  })
  .meta({ id: 'AgentRegistered' })
export type AgentRegistered = z.infer<typeof AgentRegistered>
