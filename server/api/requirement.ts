import { z } from 'zod'
import type { AuthorizationDetail } from '../wire/index.ts'

/** What a request requires besides a valid token. */
export type Requirement =
  | Readonly<{ token: 'any' }>
  /** One scope, or several separated by single spaces, all of which are required (RFC 6750 §3). */
  | Readonly<{ scope: string }>
  | Readonly<{ detail: AuthorizationDetail }>

/**
 * Validates a requirement of an app and copies it, so that later changes have no effect.
 * @throws {TypeError} with what was wrong, unless exactly one of `token`, `scope` and `detail` is given
 */
export const parseRequirement = (value: unknown): Requirement => {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const kind = names.length === 1 ? kinds.get(names[0] ?? '') : undefined
  if (kind === undefined) {
    const received = names.length > 0 ? `the members ${names.join(', ')}` : describeShort(value)
    throw new TypeError(
      `requirement: expected exactly one of { token: 'any' }, { scope } and { detail }, received ${received.slice(0, 200)}`,
    )
  }
  const parsed = kind.safeParse(value)
  if (parsed.success) return structuredClone(parsed.data)
  const [issue] = parsed.error.issues
  throw new TypeError(`requirement.${issue?.path.join('.')}: ${issue?.message}`)
}

const describeShort = (value: unknown): string =>
  typeof value === 'string' ? 'a string' : Array.isArray(value) ? 'a list' : `${value}`

const text = z.string().min(1, 'expected a text of at least one character')
const list = z.array(text).exactOptional()

/**
 * Lengths are not limited: a long id in a request is not an error of the app, and no token covers it. A
 * member that is present but undefined is an error, because it would require less than the app intends.
 */
const RequiredDetail = z
  .object({
    type: text,
    actions: list,
    identifier: text.exactOptional(),
    locations: list,
    datatypes: list,
    privileges: list,
  })
  .catchall(
    z
      .unknown()
      .refine((it) => z.json().safeParse(it).success, 'expected a value that JSON can hold'),
  )

/** The characters of RFC 6749 §3.3. */
const Scope = z
  .string()
  .regex(
    /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/,
    'expected scopes of printable ASCII without " and \\, separated by single spaces (RFC 6749 §3.3)',
  )

const kinds = new Map<string, z.ZodType<Requirement>>([
  ['token', z.strictObject({ token: z.literal('any', "expected 'any'") })],
  ['scope', z.strictObject({ scope: Scope })],
  ['detail', z.strictObject({ detail: RequiredDetail })],
])
