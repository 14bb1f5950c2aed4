// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of scenarios look like that
import { describe, expect, it } from 'vitest'
import { fill, fillExpected, partOf, references } from '../../../scenarios/language/variables.ts'

const values: Readonly<Record<string, unknown>> = {
  needed: { type: 'file_access', actions: ['read'] },
  ttl: 60,
  list: [{ id: 'one' }],
  'ttl-x': 1,
}
const lookup = (name: string) => values[name]

describe('filling in variables', () => {
  it('throws for a variable that is not set', () => {
    expect(() => fill('$nothing', lookup)).toThrow('$nothing is not set')
    expect(() => fill('$needed.identifier', lookup)).toThrow('$needed.identifier is not set')
    expect(() => fill('$needed.constructor', lookup)).toThrow('is not set')
  })

  it.for([
    ['keeps the type of a whole value', '$ttl', 60],
    ['keeps objects', { details: '$needed' }, { details: values.needed }],
    ['follows a path', '$list.0.id', 'one'],
    ['follows a path with brackets', '$list[0].id', 'one'],
    ['fills texts', 'after ${ttl} s, ${list.0.id}', 'after 60 s, one'],
    ['writes objects into texts as JSON', 'x${needed.actions}', 'x["read"]'],
    ['leaves prices alone', '$5 a month', '$5 a month'],
    ['leaves a lone name within a text alone', 'costs $ttl more', 'costs $ttl more'],
    ['takes two dollars for one', '$$ttl', '$ttl'],
    ['takes two dollars before braces for one', 'a $${ttl}', 'a ${ttl}'],
    ['goes into lists', [['$ttl']], [[60]]],
  ] as const)('%s', ([, written, filled]) => {
    expect(fill(written, lookup)).toEqual(filled)
  })

  it('expects an object from a variable to be equal, not a subset', () => {
    expect(fillExpected({ list: ['$needed'], ttl: '$ttl' }, lookup)).toEqual({
      list: [{ equals: values.needed }],
      ttl: 60,
    })
  })

  it('fills the arguments of matchers with plain values', () => {
    expect(fillExpected({ at_most: '$ttl' }, lookup)).toEqual({ at_most: 60 })
    expect(fillExpected({ equals: '$needed' }, lookup)).toEqual({ equals: values.needed })
    expect(fillExpected({ not: { contains: '$needed' } }, lookup)).toEqual({
      not: { contains: { equals: values.needed } },
    })
  })
})

describe('looking for variables', () => {
  it('finds each with its position', () => {
    expect(references({ a: ['$x.y'], b: 'to ${z}' })).toEqual([
      { name: 'x', path: ['y'], at: ['a', 0] },
      { name: 'z', path: [], at: ['b'] },
    ])
  })

  it('reads $$ as a plain $', () => {
    expect(references({ a: '$$x', b: '$${x}' })).toEqual([])
  })
})

describe('the part of a value', () => {
  it('is the only member where the path says *, whatever its name', () => {
    expect(partOf({ sets: { 'jti-1': 'a' } }, ['sets', '*'])).toBe('a')
    expect(partOf(['a'], ['*'])).toBe('a')
    expect(partOf({ sets: {} }, ['sets', '*'])).toBeUndefined()
    expect(partOf({ a: 1, b: 2 }, ['*'])).toBeUndefined()
  })

  it('is undefined inside a text', () => {
    expect(partOf('text', ['length'])).toBeUndefined()
    expect(partOf('a', ['*'])).toBeUndefined()
  })
})
