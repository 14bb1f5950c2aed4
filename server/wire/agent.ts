import { z } from 'zod'

/**
 * Answer of `GET B/oauth/userinfo` for an agent (CONTRACT.md#userinfo). Go's SDK rejects null in
 * place of an object.
 */
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

/** Answer of `GET B/oauth/userinfo` for a user. */
export const UserInfo = z
  .looseObject({
    sub: z.string(),
    name: z.string().optional(),
    email: z.string().optional(),
    tenant: z.string(),
  })
  .meta({ id: 'UserInfo' })
export type UserInfo = z.infer<typeof UserInfo>

/**
 * Answer of `GET B/agents/me`: the union of the two documented shapes (CONTRACT.md#agent-identity).
 */
export const AgentsMe = z
  .looseObject({
    identity: z.looseObject({ id: z.string(), type: z.string(), tenant: z.string() }).optional(),
    capabilities: z.array(z.string()).optional(),
    workspace: z.looseObject({ slug: z.string(), api_base: z.string() }).optional(),
    agent_id: z.string().optional(),
    name: z.string().optional(),
    scopes: z.array(z.string()).optional(),
    delegated_by: z.string().optional(),
    expires_at: z.iso.datetime().optional(),
  })
  .refine((it) => it.identity !== undefined || it.agent_id !== undefined, {
    error: 'expected identity or agent_id',
  })
  .meta({ id: 'AgentsMe' })
export type AgentsMe = z.infer<typeof AgentsMe>

/** Body of `POST B/agents/ask` in both forms (CONTRACT.md#ask). */
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
  .meta({ id: 'Ask', anyOf: [{ required: ['action'] }, { required: ['question'] }] })
export type Ask = z.infer<typeof Ask>

/** Answer of `POST B/agents/ask`. The dialect switch `ask_answer` selects the members. */
export const AskAnswer = z
  .looseObject({
    allowed: z.boolean(),
    action: z.string().optional(),
    context: z.looseObject({}).optional(),
    reason: z.string().optional(),
    /** Which of the two decided: a capability of the agent, or the policy. */
    decided_by: z.enum(['capability', 'policy']).optional(),
    explanation: z.string().optional(),
    confidence: z.number().min(0).max(1).optional(),
    required_scopes: z.array(z.string()).optional(),
    audit_id: z.string().regex(/^[0-9a-f]{16}$/),
  })
  .meta({ id: 'AskAnswer' })
export type AskAnswer = z.infer<typeof AskAnswer>

const AgentName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
  error: 'expected a name: letters, digits, dot, underscore or hyphen, at most 64',
})

/** Words of the characters of a name, separated by single spaces. */
const DisplayName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(?: [A-Za-z0-9][A-Za-z0-9._-]*)*$/, {
    error: 'expected a name: letters, digits, dot, underscore, hyphen or single spaces, at most 64',
  })

/** Body of `POST B/agents/register`: a new agent, with the capabilities to grant it. */
export const RegisterAgent = z
  .object({
    name: DisplayName,
    client_id: AgentName.optional(),
    description: z.string().max(1024).optional(),
    /** Each capability is a scope, so it contains no spaces (RFC 6749 §3.3). */
    capabilities: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/))
      .max(64)
      .optional(),
    jwks_uri: z.url().optional(),
  })
  .meta({ id: 'RegisterAgent' })
export type RegisterAgent = z.infer<typeof RegisterAgent>

/** Answer of `POST B/agents/register`. */
export const AgentRegistered = z
  .looseObject({
    agent_id: z.string(),
    client_id: z.string(),
    name: z.string(),
    status: z.string(),
    success: z.literal(true),
    workload_identity: z.string(),
    /** The plain secret. Only this answer contains it; absent when the agent existed already. */
    client_secret: z.string().min(1).optional(),
  })
  .meta({ id: 'AgentRegistered' })
export type AgentRegistered = z.infer<typeof AgentRegistered>

/** `POST B/agents/{id}/attest`: the workload's token of its platform (lumoauth-api-client 1.1.0). */
export const Attest = z
  .object({ attestation_token: z.string().min(1).max(16_384) })
  .meta({ id: 'Attest' })
export type Attest = z.infer<typeof Attest>

/** The answer: a token of the agent, and the identity of the workload that was verified. */
export const Attested = z
  .looseObject({
    access_token: z.string().min(1),
    token_type: z.literal('Bearer'),
    expires_in: z.int().positive(),
    scope: z.string(),
    identity: z.looseObject({ provider: z.string(), subject: z.string(), issuer: z.string() }),
  })
  .meta({ id: 'Attested' })
export type Attested = z.infer<typeof Attested>

/** A name without quotes, spaces, control characters or other special characters. */
const McpName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, {
  error: 'expected letters, digits and . _ : / -, at most 128',
})

/** Body of `POST B/agents/me/mcp/authorize`. */
export const AuthorizeMcp = z
  .object({ server_id: McpName, tool: McpName })
  .meta({ id: 'AuthorizeMcp' })
export type AuthorizeMcp = z.infer<typeof AuthorizeMcp>

/** Answer of `POST B/agents/me/mcp/authorize`. */
export const McpAuthorized = z
  .looseObject({
    allowed: z.literal(true),
    agent_id: z.string(),
    resource: z.looseObject({ uri: z.string(), server_id: z.string(), tool: z.string() }),
  })
  .meta({ id: 'McpAuthorized' })
export type McpAuthorized = z.infer<typeof McpAuthorized>

/** Answer of `GET B/me`. `email` is absent for an agent. */
export const Me = z
  .looseObject({
    subject_type: z.enum(['user', 'agent']),
    id: z.string(),
    email: z.string().optional(),
    name: z.string(),
    mfa_enabled: z.boolean(),
    roles: z.array(z.string()),
    capabilities: z.array(z.string()),
    tenant: z.looseObject({ id: z.string(), slug: z.string(), name: z.string() }),
  })
  .meta({ id: 'Me' })
export type Me = z.infer<typeof Me>

const Context = z.record(z.string(), z.unknown()).optional()

/** The subject of a check. Default: the bearer of the token (lumoauth 1.1.0, resources/permissions.py). */
const CheckedSubject = z
  .object({
    type: z.enum(['user', 'agent'], { error: 'expected user or agent' }),
    id: z.string().min(1).max(256),
  })
  .optional()

/**
 * Body of `POST B/authz/check`. `permission` is optional here because the handler rejects its absence
 * with an error code of its own.
 */
export const CheckPermission = z
  .object({
    permission: z.string().max(256).optional(),
    subject: CheckedSubject,
    user_id: z.string().max(256).optional(),
    context: Context,
  })
  .meta({ id: 'CheckPermission', required: ['permission'] })
export type CheckPermission = z.infer<typeof CheckPermission>

/** The subject under both of its names. `user_id` is the older one; it also names agents. */
const subjectMembers = {
  subject_type: z.enum(['user', 'agent']),
  subject_id: z.string(),
  user_id: z.string(),
}

/** Answer of `POST B/authz/check`. */
export const PermissionChecked = z
  .looseObject({
    allowed: z.boolean(),
    permission: z.string(),
    ...subjectMembers,
    context: z.looseObject({}),
  })
  .meta({ id: 'PermissionChecked' })
export type PermissionChecked = z.infer<typeof PermissionChecked>

/** Body of the three checks of several permissions: `check-bulk`, `check-any` and `check-all`. */
export const CheckPermissions = z
  .object({
    permissions: z.array(z.string().max(256)).max(256).optional(),
    subject: CheckedSubject,
    user_id: z.string().max(256).optional(),
    context: Context,
  })
  .meta({ id: 'CheckPermissions', required: ['permissions'] })
export type CheckPermissions = z.infer<typeof CheckPermissions>

/** Answer of the three checks of several permissions: one result for each permission. */
export const PermissionsChecked = z
  .looseObject({
    allowed: z.boolean().optional(),
    results: z.record(z.string(), z.boolean()),
    permissions: z.array(z.string()),
    ...subjectMembers,
    context: z.looseObject({}),
  })
  .meta({ id: 'PermissionsChecked' })
export type PermissionsChecked = z.infer<typeof PermissionsChecked>

/** Query of the list of permissions. Default: the permissions of the bearer. */
export const PermissionsQuery = z.object({ user_id: z.string().max(256).optional() })
export type PermissionsQuery = z.infer<typeof PermissionsQuery>

/** Answer: the permissions of one subject. */
export const Permissions = z
  .looseObject({
    user_id: z.string(),
    permissions: z.array(
      z.looseObject({
        slug: z.string(),
        description: z.string(),
        /** `role:NAME`, `direct` (a permission of the user) or `capability` (of an agent). */
        source: z.string(),
      }),
    ),
    count: z.int().nonnegative(),
  })
  .meta({ id: 'Permissions' })
export type Permissions = z.infer<typeof Permissions>
