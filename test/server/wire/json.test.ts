import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  deepestJson,
  findExcess,
  isDeeper,
  JsonBoundsError,
  mostJsonValues,
  parseJson,
  readJson,
} from '../../../server/wire/json.ts'

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0

const valuesIn = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? Object.values(value).reduce<number>((sum, it) => sum + valuesIn(it), 1)
    : 1

describe('parseJson', () => {
  it.each([
    ['{"a":[1]}', { a: [1] }],
    ['null', null],
    ['"text"', 'text'],
  ])('parses %s', (text, value) => {
    expect(parseJson(text)).toEqual(value)
  })

  it.each(['', '{', "{'a':1}", 'nothing', '['.repeat(65) + ']'.repeat(65)])(
    'returns undefined for %j',
    (text) => {
      expect(parseJson(text)).toBeUndefined()
    },
  )
})

describe('the limits for JSON', () => {
  it('count levels in the text as in the value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(9), (value, levels) => {
        const isTooDeep = findExcess(JSON.stringify(value), levels) !== undefined
        expect(isTooDeep).toBe(depthOf(value) > levels)
        expect(isDeeper(value, levels)).toBe(depthOf(value) > levels)
      }),
    )
  })

  it('count every value, and at most one more for each empty list', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(40), (value, most) => {
        const text = JSON.stringify(value)
        const empty = text.match(/\[\]|\{\}/g)?.length ?? 0
        const refuses = findExcess(text, deepestJson, most) !== undefined
        if (valuesIn(value) > Math.max(1, most)) expect(refuses).toBe(true)
        if (valuesIn(value) + empty <= most) expect(refuses).toBe(false)
      }),
    )
  })

  it('are 64 levels and 10,000 values', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
    const wide = (values: number) => JSON.stringify(Array.from({ length: values - 1 }, () => 0))

    expect(depthOf(readJson(nested(deepestJson)))).toBe(64)
    expect(() => readJson(nested(65))).toThrow(
      new JsonBoundsError('is nested deeper than 64 levels'),
    )
    expect(() => readJson('['.repeat(1_000_000))).toThrow(JsonBoundsError)
    expect(valuesIn(readJson(wide(mostJsonValues)))).toBe(10_000)
    expect(() => readJson(wide(10_001))).toThrow('has more than 10000 values')
  })

  it('ignore the content of strings', () => {
    const text = `${'['.repeat(1000)}\\"${','.repeat(20_000)}\\`

    expect(readJson(JSON.stringify([text, text]))).toEqual([text, text])
  })

  it('are 100,000 values for an answer that a client reads', () => {
    const wide = (values: number) => `[${Array.from({ length: values - 1 }, () => 0).join()}]`

    expect(parseJson(wide(100_000))).toHaveLength(99_999)
    expect(parseJson(wide(100_001))).toBeUndefined()
  })

  it('end a string at its quote, whatever backslashes stand before it', () => {
    for (const text of ['["\\\\",[]]', '["\\"[",0]', '["\\\\\\"[",[]]', '["a', '["\\', '[""]']) {
      const levels = { '["\\\\",[]]': 2, '["\\\\\\"[",[]]': 2 }[text] ?? 1
      expect(findExcess(text, levels), text).toBeUndefined()
      expect(findExcess(text, levels - 1), text).toBe(`is nested deeper than ${levels - 1} levels`)
    }
  })

  it('keep a refused name that is a value, or a part of another name', () => {
    const text = '{"a":"__proto__","my__proto__":"\\u0061"}'

    expect(readJson(text, { refusedNames: ['__proto__'] })).toEqual({
      a: '__proto__',
      my__proto__: 'a',
    })
  })

  it('throw a JsonBoundsError', () => {
    expect(() => readJson('['.repeat(65))).toThrow(
      expect.objectContaining({ name: 'JsonBoundsError' }),
    )
  })

  it('reject a refused name however it is escaped', () => {
    for (const name of ['"__proto__"', '"\\u005f_proto__"']) {
      expect(() => readJson(`{${name}:1}`, { refusedNames: ['__proto__'] })).toThrow(SyntaxError)
    }
  })
})
