import type { Agent } from '../../issuer/event.ts'
import { refuse } from '../../issuer/refusal.ts'
import { findUser } from '../../issuer/tasks.ts'
import { hashSecret } from '../../signing/secrets.ts'
import type { TenantSeed } from '../../wire/index.ts'
import { isoTime } from '../iso-time.ts'
import { type Handlers, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import type { IssuerContext } from './context.ts'
import { noStore } from './oauth/token-response.ts'

type Connection = TenantSeed['connections'][number]

/** Accounts at other providers, and their tokens; the seeds say which there are. */
export const tokenVaultHandlers: Handlers<'connections.list' | 'connections.token', IssuerContext> =
  {
    'connections.list': ({ context, agent }) => {
      const { id, name } = agent()
      const connections = connectionsOf(context, agent()).map((it) => ({
        connection_id: it.connection_id,
        name: it.name,
        provider: it.provider,
        provider_label: it.provider_label ?? it.provider,
        grant_mode: it.users === undefined ? 'client_credentials' : 'authorization_code',
        scopes: it.scopes,
        user_delegated: it.users !== undefined,
        machine_grant_status: it.users === undefined ? 'active' : null,
        linked_users: it.users?.length ?? null,
      }))
      return ok({
        agent: { agent_id: id, name, status: 'active' },
        connections,
        data: connections,
        pagination: {
          total: connections.length,
          page: 1,
          limit: Math.max(1, connections.length),
          totalPages: 1,
          hasNextPage: false,
          hasPreviousPage: false,
        },
      })
    },

    'connections.token': ({ context, agent, params, body }) => {
      const { tenant } = context
      const { connectionId = '' } = params
      const found =
        connectionsOf(context, agent()).find((it) => it.connection_id === connectionId) ??
        refuse({ error: 'not_found', what: `connection ${connectionId}` })
      const owner = found.users === undefined ? undefined : ownerOf(context, agent(), found, body)
      const now = tenant.clock.now()
      const lifetime = found.token_lifetime
      const expiresAt = lifetime === null ? null : now - (now % lifetime) + lifetime
      return {
        ...ok({
          access_token: found.access_token ?? madeToken(found, owner, expiresAt),
          token_type: 'Bearer',
          expires_at: expiresAt === null ? null : isoTime(expiresAt),
          scopes: found.scopes,
        }),
        headers: noStore,
      }
    },
  }

const connectionsOf = (
  { seed }: Readonly<{ seed: Partial<TenantSeed> }>,
  { name }: Agent,
): readonly Connection[] =>
  // A journal of an older version knows none.
  (seed.connections ?? []).filter(({ agents }) => agents?.includes(name) ?? true)

/** The user whose grant it is: the agent has to be allowed to act for them. */
const ownerOf = (
  { tenant }: TenantContext,
  { mayDelegate }: Agent,
  { users = [] }: Connection,
  { user_id: named }: Readonly<{ user_id?: string | undefined }>,
): string => {
  if (named === undefined) {
    return answerWith(400, 'invalid_request', 'user_id: expected the user whose grant is meant')
  }
  if (!mayDelegate) refuse({ error: 'delegation_not_allowed' })
  const user = findUser(tenant.state, named)
  return user !== undefined && users.includes(user.email)
    ? user.id
    : refuse({ error: 'not_found', what: 'grant of that user' })
}

/** Opaque, and the same until it expires. */
const madeToken = ({ connection_id: id }: Connection, owner: string | undefined, until: unknown) =>
  `vault_${hashSecret(JSON.stringify([id, owner, until])).slice(0, 40)}`
