import { describe, expect, it } from 'vitest'
import { sizeOf } from '../../../server/wire/size-of.ts'

describe('the approximate size of a value', () => {
  it.each<[unknown, number]>([
    ['', 0],
    ['text', 4],
    [undefined, 0],
    [null, 8],
    [12345, 8],
    [true, 8],
    [[], 2],
    [['ab', 1], 14],
    [[undefined], 3],
    [{}, 2],
    [{ ab: 'cd', absent: undefined }, 10],
    [{ a: { b: ['c'] } }, 18],
  ])('of %j is %i', (value, size) => {
    expect(sizeOf(value)).toBe(size)
  })
})
