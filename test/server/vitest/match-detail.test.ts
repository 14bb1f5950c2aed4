import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Equals, matchDetail } from '../../../server/vitest/match-detail.ts'
import type { AuthorizationDetail } from '../../../server/wire/index.ts'

/** Vitest's own `equals`, which it passes to matchers. */
let equals: Equals
expect.extend({
  keepEquals() {
    equals = this.equals
    return { pass: true, message: () => '' }
  },
})
;(expect(0) as unknown as { keepEquals: () => void }).keepEquals()

const word = fc.constantFrom('read', 'write', 'a', 'b')
const detailOf = fc.record(
  {
    type: fc.constantFrom('file_access', 'user_data'),
    actions: fc.array(word, { maxLength: 3 }),
    identifier: word,
    limits: fc.record({ amount: fc.integer({ min: 0, max: 2 }) }),
  },
  { requiredKeys: ['type'] },
) as fc.Arbitrary<AuthorizationDetail>

/**
 * Replaces the values at some positions by matchers that match them, or match anything of their
 * type.
 */
const withMatchers = (value: unknown, pick: () => number): unknown => {
  const choice = pick()
  if (choice === 0) return expect.anything()
  if (choice === 1 && typeof value === 'string') return expect.any(String)
  if (choice === 2 && typeof value === 'string') return expect.stringMatching(/./)
  if (choice === 1 && Array.isArray(value)) return expect.arrayContaining(value)
  if (choice === 1 && typeof value === 'object') return expect.objectContaining(value as object)
  if (Array.isArray(value)) return value.map((it) => withMatchers(it, pick))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, it]) => [name, withMatchers(it, pick)]),
    )
  }
  return value
}

const permutations = (list: readonly unknown[]): unknown[][] =>
  list.length === 0
    ? [[]]
    : list.flatMap((it, index) =>
        permutations(list.toSpliced(index, 1)).map((rest) => [it, ...rest]),
      )

describe('matchDetail', () => {
  it('accepts matching asymmetric matchers in any position', () => {
    fc.assert(
      fc.property(detailOf, fc.infiniteStream(fc.nat({ max: 6 })), (detail, choices) => {
        const expected = withMatchers(detail, () => choices.next().value) as AuthorizationDetail
        expect(matchDetail(equals, detail, expected)).toBe(true)
      }),
    )
  })

  it.each([expect.arrayContaining([]), expect.not.stringMatching(/./)])(
    'rejects a detail that lacks a member, whatever matcher is expected there',
    (matcher) => {
      const expected = { type: 'file_access', actions: matcher }

      expect(equals({ type: 'file_access' }, expected)).toBe(false)
      expect(matchDetail(equals, { type: 'file_access' }, expected)).toBe(false)
    },
  )

  it('agrees with `equals` for every order of the actions, also negated', () => {
    fc.assert(
      fc.property(
        detailOf,
        detailOf,
        fc.infiniteStream(fc.nat({ max: 6 })),
        (actual, other, choices) => {
          const expected = withMatchers(other, () => choices.next().value) as AuthorizationDetail
          const orders = Array.isArray(actual.actions)
            ? permutations(actual.actions).map((actions) => ({ ...actual, actions }))
            : [actual]
          expect(matchDetail(equals, actual, expected)).toBe(
            orders.some((it) => equals(it, expected)),
          )
        },
      ),
    )
  })
})
