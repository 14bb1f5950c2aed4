import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deepestJson, isTooDeep } from '../../../server/wire/json-depth.ts'

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0

describe('the depth of JSON', () => {
  it('is counted in the text as in the value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(9), (value, levels) => {
        expect(isTooDeep(JSON.stringify(value), levels)).toBe(depthOf(value) > levels)
      }),
    )
  })

  it('is at most 64', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

    expect(isTooDeep(nested(deepestJson))).toBe(false)
    expect(isTooDeep(nested(deepestJson + 1))).toBe(true)
    expect(isTooDeep('['.repeat(1_000_000))).toBe(true)
    expect(isTooDeep(`"${'['.repeat(1000)}"`)).toBe(false)
  })
})
