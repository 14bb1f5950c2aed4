import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'

/**
 * The actor (`act`). LumoAuth nests later actors deeper, unlike RFC 8693 §4.1
 * (CONTRACT.md#chains-of-actors).
 */
export type Actor = { sub: string; act?: Actor | undefined }
export const Actor: z.ZodType<Actor> = z.looseObject({
  sub: z.string(),
  get act() {
    return Actor.optional()
  },
}) as z.ZodType<Actor>

/** Claims of every access token: RFC 9068 §2.2, and LumoAuth's own (CONTRACT.md#token-claims). */
export const AccessTokenClaims = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  client_id: z.string(),
  iat: z.number(),
  exp: z.number(),
  jti: z.string(),
  nbf: z.number().optional(),
  scope: z.string().optional(),
  tenant: z.string().optional(),
  agent_id: z.string().optional(),
  agent_name: z.string().optional(),
  act: Actor.optional(),
  may_act: Actor.optional(),
  jit: z.literal(true).optional(),
  task_id: z.string().optional(),
  parent_task_id: z.string().nullable().optional(),
  jit_request_id: z.string().optional(),
  authorization_details: z.array(AuthorizationDetail).optional(),
})
export type AccessTokenClaims = z.infer<typeof AccessTokenClaims>
