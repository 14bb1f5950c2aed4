import type { Answer } from '../http/message.ts'
import type { Act, Seam } from '../http/misbehave.ts'
import type { TenantContext } from '../http/tenant-context.ts'
import { forgeSigned } from '../signing/forge.ts'
import { type PeekedJwt, peekJwt } from '../signing/peek.ts'

type Members = Readonly<Record<string, unknown>>

/** Answers honestly, then changes the answer. */
export const alterAnswer =
  (change: (answer: Answer, seam: Seam) => Answer | Promise<Answer>): Act =>
  async (seam) =>
    change(await seam.answer(), seam)

/** Changes what succeeds, and leaves refusals alone. */
export const alterSuccess = (
  change: (answer: Answer, seam: Seam) => Answer | Promise<Answer>,
): Act => alterAnswer((answer, seam) => (answer.status < 300 ? change(answer, seam) : answer))

/** Changes refusals, and leaves what succeeds alone. */
export const alterError = (change: (answer: Answer, seam: Seam) => Answer | Promise<Answer>): Act =>
  alterAnswer((answer, seam) => (answer.status >= 400 ? change(answer, seam) : answer))

/** The members of a JSON object; none of anything else. */
export const membersOf = ({ body }: Pick<Answer, 'body'>): Members =>
  typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Members) : {}

/** The answer with members replaced; undefined takes one away. */
export const withMembers = (answer: Answer, members: Members): Answer => ({
  ...answer,
  body: { ...membersOf(answer), ...members },
})

/** The answer with header fields replaced; undefined takes one away. */
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

/** A token answer with another token in place of its own; the same answer where it holds none. */
export const replaceToken = async (
  answer: Answer,
  forge: (jwt: PeekedJwt) => string | Promise<string>,
): Promise<Answer> => {
  const jwt = peekJwt(String(membersOf(answer).access_token))
  return jwt === undefined ? answer : withMembers(answer, { access_token: await forge(jwt) })
}

/** A token answer whose token says something else, signed with the tenant's own key. */
export const resignToken = (
  answer: Answer,
  { keys }: TenantContext,
  change: (claims: Members) => Members,
  header: Members = {},
): Promise<Answer> =>
  replaceToken(answer, (jwt) =>
    forgeSigned(keys.current, change(jwt.claims), { ...jwt.header, ...header }),
  )

/** The answer as a page of HTML. */
export const asHtml = (answer: Answer): Answer => ({
  ...withFields(answer, { 'content-type': 'text/html; charset=utf-8' }),
  body: `<!doctype html><title>Error</title><h1>${answer.status}</h1>`,
})
