import { describe, expect, it } from 'vitest'
import { match, matchers, mistakes } from '../../../scenarios/language/match.ts'
import { tokenOf } from '../support.ts'

describe('matching', () => {
  it('reports path, expected and received', () => {
    const differences = match({ body: { risk: 'low' } }, { body: { risk: 'high', id: 1 } })

    expect(differences).toEqual([
      { path: 'body.risk', expected: '"low"', received: '"high"', at: ['body', 'risk'] },
    ])
  })

  it('reports every difference', () => {
    expect(match({ a: 1, b: [1, 2], c: 3 }, { a: 2, b: [1, 3], c: 3 })).toMatchObject([
      { path: 'a' },
      { path: 'b[1]', at: ['b', 1] },
    ])
  })

  it.for([
    ['a text for a number', 1, '1'],
    ['null for nothing', { a: null }, {}],
    ['a list that is longer', [1], [1, 2]],
    ['a list that is shorter', [1, 2], [1]],
    ['an object where a list is due', [1], { 0: 1 }],
    ['a list where fields are due', { length: { at_most: 1 }, other: 1 }, []],
    ['what is only inherited', { toString: { present: true } }, {}],
    ['one member more than it equals', { equals: { a: 1 } }, { a: 1, b: 2 }],
    ['a number above the most', { at_most: 900 }, 901],
    ['a text for the most', { at_most: 900 }, '10'],
    ['a moment too early', { at_least: '2026-11-24T03:00:00Z' }, '2026-11-24T02:59:59Z'],
    ['a text that does not match', { matches: '^task_' }, 'jit_1'],
    ['a number where a text must match', { matches: '1' }, 1],
    ['none of the choices', { one_of: [200, 201] }, 400],
    ['a list without the member', { contains: { type: 'a' } }, [{ type: 'b' }]],
    ['members twice where once is due', { in_any_order: [200, 403] }, [200, 200]],
    ['another length', { length: 2 }, [1]],
    ['null where nothing must be', { absent: true }, null],
    ['nothing where something must be', { present: true }, undefined],
    ['what does not decode', { decodes_as: {} }, '***'],
    ['what must not be', { not: 'approved' }, 'approved'],
    ['one of two conditions', { at_least: 1, at_most: 5 }, 6],
  ] as const)('rejects %s', ([, expected, received]) => {
    expect(match(expected, received)).not.toEqual([])
  })

  it.for([
    ['a subset of fields', { a: { b: 1 } }, { a: { b: 1, c: 2 }, d: 3 }],
    ['any object by {}', {}, { a: 1 }],
    ['null', null, null],
    ['exact objects in another order of keys', { equals: { a: 1, b: [2] } }, { b: [2], a: 1 }],
    ['limits that are met', { at_least: 1, at_most: 900 }, 900],
    ['date-times as moments', { at_most: '2026-11-24T04:00:00+01:00' }, '2026-11-24T03:00:00Z'],
    ['a part of a text', { contains: 'Rev' }, 'Revenue'],
    ['members in whatever order', { in_any_order: [{ a: 1 }, {}] }, [{ b: 1 }, { a: 1 }]],
    ['a length by a matcher', { length: { at_least: 1 } }, 'ab'],
    ['base64 of JSON', { decodes_as: { type: 'a' } }, btoa('{"type":"a"}')],
    ['a matcher within fields', { a: { one_of: [1, { at_least: 5 }] } }, { a: 7 }],
    ['a denied expectation', { not: { contains: 1 } }, [2]],
  ] as const)('accepts %s', ([, expected, received]) => {
    expect(match(expected, received)).toEqual([])
  })

  it('decodes tokens without verifying them', () => {
    const token = tokenOf({ jit: true })

    expect(
      match({ decodes_as: { claims: { jit: true }, header: { alg: 'none' } } }, token),
    ).toEqual([])
    expect(match({ decodes_as: { claims: { jit: false } } }, token)).toMatchObject([
      { path: '⟨decoded⟩.claims.jit', received: 'true' },
    ])
  })

  it('cuts a long value short', () => {
    const [difference] = match('x', 'y'.repeat(1000))

    expect(difference?.received.length).toBeLessThan(400)
  })
})

describe('the syntax of an expectation', () => {
  it.for([
    ['mixes matchers and fields', { at_most: 1, status: 2 }, ['status']],
    ['has a broken regular expression', { a: { matches: '(' } }, ['a', 'matches']],
    ['limits by a text', { at_most: 'much' }, ['at_most']],
    ['has no choices', [{ one_of: [] }], [0, 'one_of']],
    [
      'is wrong deep inside',
      { not: { contains: { absent: false } } },
      ['not', 'contains', 'absent'],
    ],
  ] as const)('is an error when it %s', ([, expected, at]) => {
    expect(mistakes(expected)).toMatchObject([{ at }])
  })

  it('allows a variable in a matcher', () => {
    expect(mistakes({ expires_in: { at_most: '$ttl' } })).toEqual([])
  })

  it.for(Object.entries(matchers))('accepts the example of %s', ([word, { example }]) => {
    expect(example).toContain(word)
  })
})
