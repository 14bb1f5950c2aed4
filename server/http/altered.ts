import { type Header, signJwt } from '../signing/sign.ts'
import type { Answer } from './message.ts'
import type { Act, Seam } from './misbehave.ts'
import type { Tenancy } from './tenancy.ts'

type Members = Readonly<Record<string, unknown>>

/** Answers honestly, then changes the answer. */
export const afterwards =
  (change: (answer: Answer, seam: Seam) => Answer | Promise<Answer>): Act =>
  async (seam) =>
    change(await seam.answer(), seam)

/** Changes what succeeds, and leaves refusals alone. */
export const onSuccess = (change: (answer: Answer, seam: Seam) => Answer | Promise<Answer>): Act =>
  afterwards((answer, seam) => (answer.status < 300 ? change(answer, seam) : answer))

/** Changes refusals, and leaves what succeeds alone. */
export const onError = (change: (answer: Answer, seam: Seam) => Answer | Promise<Answer>): Act =>
  afterwards((answer, seam) => (answer.status >= 400 ? change(answer, seam) : answer))

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

/** A JWT as it can be read without any key. */
export type Jwt = Readonly<{ text: string; header: Members; claims: Members }>

/** @returns undefined for what is no JWT */
export const readJwt = (text: string | undefined): Jwt | undefined => {
  const [header, claims] = (text ?? '').split('.')
  try {
    const read = { header: membersOf(decoded(header)), claims: membersOf(decoded(claims)) }
    return { text: text ?? '', ...read }
  } catch {
    return undefined
  }
}

const decoded = (part = '') => ({
  body: JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as unknown,
})

/** A token answer whose token says something else, signed with the tenant's own key. */
export const resigned = async (
  answer: Answer,
  { keys }: Tenancy,
  change: (claims: Members) => Members,
  header: Header = {},
): Promise<Answer> => {
  const jwt = readJwt(String(membersOf(answer).access_token))
  if (jwt === undefined) return answer
  return withMembers(answer, {
    access_token: await signJwt(keys.current, change(jwt.claims), { ...jwt.header, ...header }),
  })
}
