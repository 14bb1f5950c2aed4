import type { Answer } from '../http/message.ts'
import type { Act, Seam } from '../http/misbehave.ts'
import type { TenantContext } from '../http/tenant/tenant-context.ts'
import { forgeSigned } from '../signing/forge.ts'
import { type PeekedJwt, peekJwt } from '../signing/peek.ts'

type Members = Readonly<Record<string, unknown>>

/** Runs the handler, then changes its answer. */
export const alterAnswer =
  (change: (answer: Answer, seam: Seam) => Answer | Promise<Answer>): Act =>
  async (seam) =>
    change(await seam.answer(), seam)

/** Changes successful answers only. */
export const alterSuccess = (
  change: (answer: Answer, seam: Seam) => Answer | Promise<Answer>,
): Act => alterAnswer((answer, seam) => (answer.status < 300 ? change(answer, seam) : answer))

/** Changes errors only. */
export const alterError = (change: (answer: Answer, seam: Seam) => Answer | Promise<Answer>): Act =>
  alterAnswer((answer, seam) => (answer.status >= 400 ? change(answer, seam) : answer))

/** The members of a JSON object body; empty for other bodies. */
export const membersOf = ({ body }: Pick<Answer, 'body'>): Members =>
  typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Members) : {}

/** The answer with members replaced; undefined removes one. */
export const withMembers = (answer: Answer, members: Members): Answer => ({
  ...answer,
  body: { ...membersOf(answer), ...members },
})

/** The answer with header fields replaced; undefined removes one. */
export const withFields = (
  answer: Answer,
  fields: Readonly<Record<string, string | undefined>>,
): Answer => {
  const all = Object.entries({ ...answer.headers, ...fields })
  return {
    ...answer,
    headers: Object.fromEntries(
      all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
  }
}

/** Replaces the token of a token answer. Returns other answers unchanged. */
export const replaceToken = async (
  answer: Answer,
  forge: (jwt: PeekedJwt) => string | Promise<string>,
): Promise<Answer> => {
  const jwt = peekJwt(String(membersOf(answer).access_token))
  return jwt === undefined ? answer : withMembers(answer, { access_token: await forge(jwt) })
}

/** Changes the claims of a token answer and signs it with the tenant's key. */
export const resignToken = (
  answer: Answer,
  { keys }: TenantContext,
  change: (claims: Members) => Members,
  header: Members = {},
): Promise<Answer> =>
  replaceToken(answer, (jwt) =>
    forgeSigned(keys.current, change(jwt.claims), { ...jwt.header, ...header }),
  )

/** The answer as an HTML page. */
export const asHtml = (answer: Answer): Answer => ({
  ...withFields(answer, { 'content-type': 'text/html; charset=utf-8' }),
  body: `<!doctype html><title>Error</title><h1>${answer.status}</h1>`,
})
