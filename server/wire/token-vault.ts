import { z } from 'zod'

/** An account of a tenant at another provider, whose tokens agents may have. */
const Connection = z.looseObject({
  connection_id: z.string(),
  name: z.string(),
  provider: z.string(),
  provider_label: z.string(),
  grant_mode: z.string(),
  scopes: z.array(z.string()),
  user_delegated: z.boolean(),
  /** Null for a connection of users. */
  machine_grant_status: z.string().nullable(),
  /** Users with a grant; null for a connection of the tenant itself. */
  linked_users: z.int().nullable(),
})

/** `GET B/agents/me/connections` (lumoauth-api-client 1.1.0). */
export const Connections = z
  .looseObject({
    agent: z.looseObject({ agent_id: z.string(), name: z.string(), status: z.string() }),
    connections: z.array(Connection),
    /** The same once more. */
    data: z.array(Connection),
    pagination: z.looseObject({ total: z.int(), page: z.int(), limit: z.int() }),
  })
  .meta({ id: 'Connections' })
export type Connections = z.infer<typeof Connections>

/** `POST B/agents/me/connections/{id}/token`. */
export const AskConnectionToken = z
  .object({ user_id: z.string().min(1).max(256).optional() })
  .meta({ id: 'AskConnectionToken' })
export type AskConnectionToken = z.infer<typeof AskConnectionToken>

/** The answer: a token of the other provider; `expires_at` is null where it does not expire. */
export const ConnectionToken = z
  .looseObject({
    access_token: z.string().min(1),
    token_type: z.literal('Bearer'),
    expires_at: z.iso.datetime().nullable(),
    scopes: z.array(z.string()),
  })
  .meta({ id: 'ConnectionToken' })
export type ConnectionToken = z.infer<typeof ConnectionToken>
