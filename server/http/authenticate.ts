import type { Agent, User } from '../issuer/event.ts'
import type { AccessTokenClaims } from '../wire/index.ts'
import { type LiveToken, verifyOwn } from './access-token.ts'
import type { HttpRequest } from './message.ts'
import { answerWith } from './refusals.ts'
import { hasSecret, issuersOf, type Tenancy } from './tenancy.ts'

/** Who a live access token stands for. A delegated one stands for its agent and for a user. */
export type Principal = Readonly<{
  agent?: Agent | undefined
  user?: User | undefined
  /** An agent holds the token, whoever its subject is. */
  agentHeld: boolean
  claims: AccessTokenClaims
  jti: string
}>

/**
 * The bearer of a request (RFC 6750 §2.1).
 * @throws {Refusing} 401 with a challenge: without `error` where no token came (§3.1)
 */
export const bearer = async (tenancy: Tenancy, request: HttpRequest): Promise<Principal> => {
  const jwt = bearerToken(request)
  if (jwt === undefined) {
    answerWith(401, 'missing_token', 'expected Authorization: Bearer', {}, wantsBearer(tenancy))
  }
  const audience = [...issuersOf(tenancy), tenancy.origins.issuer]
  const live = await verifyOwn(tenancy, jwt as string, audience)
  if (live === undefined) {
    const description = 'the token is malformed, expired, revoked, or not for this issuer'
    const challenge = wantsBearer(
      tenancy,
      `, error="invalid_token", error_description="${description}"`,
    )
    answerWith(401, 'invalid_token', description, {}, challenge)
  }
  return principalOf(tenancy, live as LiveToken)
}

/** @throws {Refusing} as `bearer`; 403 when it is not an agent that asks */
export const agentBearer = async (
  tenancy: Tenancy,
  request: HttpRequest,
): Promise<Principal & { agent: Agent }> => {
  const principal = await bearer(tenancy, request)
  const { agent } = principal
  if (agent === undefined)
    return answerWith(403, 'agent_required', 'expected the token of an agent')
  return { ...principal, agent }
}

/** The token of `Authorization: Bearer`; the scheme is read without regard to case (BRR-01). */
export const bearerToken = ({ headers }: HttpRequest): string | undefined =>
  /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]

type ClientFields = Readonly<{ client_id?: string | undefined; client_secret?: string | undefined }>

/**
 * The client of a request, by HTTP Basic or by form fields, never by both (RFC 6749 §2.3).
 * @throws {Refusing} 401 `invalid_client`, the same for an unknown client and a wrong secret
 */
export const clientOf = (
  tenancy: Tenancy,
  request: HttpRequest,
  { client_id: postedId, client_secret: postedSecret }: ClientFields,
): Agent => {
  const basic = basicCredentials(tenancy, request)
  if (basic && (postedSecret !== undefined || (postedId !== undefined && postedId !== basic.id))) {
    answerWith(400, 'invalid_request', 'expected one way of client authentication, not two')
  }
  const { id, secret } = basic ?? { id: postedId, secret: postedSecret }
  if (id === undefined || secret === undefined) {
    return refuseClient(
      tenancy,
      'expected client_id and client_secret, in the form or by HTTP Basic',
    )
  }
  const client = tenancy.tenant.state.clients.get(id)
  if (!hasSecret(client, secret) || client === undefined) {
    return refuseClient(tenancy, 'the client is unknown or its secret is wrong')
  }
  return client
}

/** Whether a request tries to authenticate a client at all. */
export const hasClientCredentials = ({ headers }: HttpRequest, fields: ClientFields): boolean =>
  fields.client_secret !== undefined || /^basic /i.test(headers.authorization ?? '')

/** Both parts are form-encoded before they are joined (RFC 6749 §2.3.1). */
const basicCredentials = (tenancy: Tenancy, { headers }: HttpRequest) => {
  const encoded = /^basic +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  const [id, ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  if (id === undefined || secret.length === 0) {
    return refuseClient(tenancy, 'the Basic credentials are malformed')
  }
  try {
    return { id: formDecode(id), secret: formDecode(secret.join(':')) }
  } catch {
    return refuseClient(tenancy, 'the Basic credentials are not form-encoded')
  }
}

const formDecode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))

const refuseClient = (tenancy: Tenancy, description: string): never =>
  answerWith(
    401,
    'invalid_client',
    description,
    {},
    {
      'www-authenticate': `Basic realm="${tenancy.tenant.slug}"`,
      pragma: 'no-cache',
    },
  )

const wantsBearer = ({ tenant }: Tenancy, more = '') => ({
  'www-authenticate': `Bearer realm="${tenant.slug}"${more}`,
})

const principalOf = ({ tenant }: Tenancy, { token, claims }: LiveToken): Principal => {
  const { agents, users } = tenant.state
  const user = token.userId === undefined ? undefined : users.get(token.userId)
  const agent = token.agentId === undefined ? undefined : agents.get(token.agentId)
  return { agent, user, agentHeld: token.agentId !== undefined, claims, jti: token.jti }
}
