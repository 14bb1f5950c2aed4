import type { AuthorizationDetail } from '../wire/index.ts'

/** Vitest's asymmetric matcher, such as `expect.any(String)`. */
type Asymmetric = Readonly<{ asymmetricMatch: (value: unknown) => boolean }>

/** An expected detail: plain, with matchers in any position, or a matcher itself. */
export type ExpectedDetail = AuthorizationDetail | Asymmetric

export type Equals = (a: unknown, b: unknown) => boolean

/**
 * Checks that a matcher can compare with this detail.
 * @throws {TypeError} for anything else: it never matches, so `.not` would always pass
 */
export const readExpectedDetail = (matcher: string, expected: unknown): ExpectedDetail => {
  if (isAsymmetric(expected)) return expected
  const type = isRecord(expected) ? expected.type : undefined
  if (isRecord(expected) && (isAsymmetric(type) || (typeof type === 'string' && type !== ''))) {
    return expected as AuthorizationDetail
  }
  throw new TypeError(
    `${matcher}: expected an authorization detail with a type, or a matcher such as ` +
      `expect.objectContaining({ identifier: 'doc_1' }), received ${JSON.stringify(expected)}`,
  )
}

/** Whether the detail equals the expected one. The order in a list of members does not matter. */
export const matchDetail = (
  equals: Equals,
  actual: AuthorizationDetail,
  expected: ExpectedDetail,
): boolean => {
  if (isAsymmetric(expected)) return equals(actual, expected)
  const names = new Set([...Object.keys(actual), ...Object.keys(expected)])
  return [...names].every((name) => {
    const [value, wanted] = [actual[name], expected[name]]
    // `expect.arrayContaining([])` also matches undefined, but a missing member equals nothing.
    if (value === undefined || wanted === undefined) return value === wanted
    return Array.isArray(value) && Array.isArray(wanted)
      ? matchInAnyOrder(equals, value, wanted)
      : equals(value, wanted)
  })
}

/** Whether each value can be paired with an expected one that it equals. */
const matchInAnyOrder = (
  equals: Equals,
  values: readonly unknown[],
  wanted: readonly unknown[],
): boolean => {
  if (values.length !== wanted.length) return false
  const [first, ...others] = values
  return (
    values.length === 0 ||
    wanted.some(
      (it, index) =>
        equals(first, it) && matchInAnyOrder(equals, others, wanted.toSpliced(index, 1)),
    )
  )
}

/** Whether the value contains a matcher. */
export const hasAsymmetric = (value: unknown): boolean =>
  isAsymmetric(value) ||
  (typeof value === 'object' && value !== null && Object.values(value).some(hasAsymmetric))

const isAsymmetric = (value: unknown): value is Asymmetric =>
  isRecord(value) && typeof value.asymmetricMatch === 'function'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
