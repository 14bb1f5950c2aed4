import type { Event, Token } from '../../../issuer/event.ts'
import type { TokenAnswer } from '../../../wire/index.ts'
import type { Answer, Call } from '../../message.ts'
import { answerWith } from '../../refusals.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'
import type { IssuerContext } from '../context.ts'
import { accessToken } from './access-token.ts'

export type TokenCall = Call<'oauth.token'> & IssuerContext

/** The handler of one grant: from a token request to its answer. */
export type GrantHandler = (call: TokenCall) => Promise<Answer>

/** An answer with a token must not be stored (RFC 6749 §5.1). */
export const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' }

/** @throws {HttpError} 400 `invalid_request`, for a missing parameter of the grant */
export const failMissingField = (name: string): never =>
  answerWith(400, 'invalid_request', `missing required parameter: ${name}`)

/** The answer with a token, and the members that its grant adds. */
export const tokenResponse = async (
  context: TenantContext,
  token: Token,
  requestPath: string,
  more: Partial<TokenAnswer> = {},
): Promise<Answer> => ({
  status: 200,
  headers: noStore,
  body: {
    access_token: await accessToken(context, token, requestPath),
    token_type: 'Bearer',
    expires_in: token.expiresAt - token.issuedAt,
    ...(token.scope === undefined ? {} : { scope: token.scope }),
    ...(token.details === undefined ? {} : { authorization_details: [...token.details] }),
    ...more,
  } satisfies TokenAnswer,
})

/** The token among the events of a decision; undefined when the decision issued none. */
export const tokenIn = (events: readonly Event[]): Token | undefined =>
  events.find((event) => event.type === 'token.issued')?.token
