import { describe, expect, it } from 'vitest'
import {
  type AuthorizationDetail,
  anyCovers,
  canonical,
  covers,
  isNoWider,
} from '../../../server/wire/authorization-detail.ts'

const detail: AuthorizationDetail = {
  type: 'file_access',
  actions: ['read', 'write'],
  identifier: 'doc_1',
  locations: ['https://a.test', 'https://b.test'],
  datatypes: ['text'],
  privileges: ['admin'],
}

describe('a detail covers', () => {
  it.each<[string, AuthorizationDetail, AuthorizationDetail]>([
    ['itself', detail, detail],
    ['fewer actions', detail, { ...detail, actions: ['write'] }],
    ['no actions', detail, { ...detail, actions: [] }],
    ['fewer places', detail, { ...detail, locations: ['https://b.test'] }],
    ['fewer data types', detail, { ...detail, datatypes: [] }],
    ['fewer privileges', detail, { ...detail, privileges: [] }],
    ['an absent list by an empty one', { type: 't', actions: [] }, { type: 't' }],
    ['an empty list by an absent one', { type: 't' }, { type: 't', actions: [] }],
    [
      'the same further members in another order',
      { type: 't', a: 1, b: { c: [1], d: null } },
      { b: { d: null, c: [1] }, a: 1, type: 't' },
    ],
    [
      'further lists of actions in another order',
      { type: 't', more: { actions: ['a', 'b'] } },
      { type: 't', more: { actions: ['b', 'a'] } },
    ],
  ])('%s', (_says, granted, required) => {
    expect(covers(granted, required)).toBe(true)
  })

  it.each<[string, AuthorizationDetail, AuthorizationDetail]>([
    ['another type', detail, { ...detail, type: 'File_access' }],
    ['another identifier', detail, { ...detail, identifier: 'doc_2' }],
    ['no identifier by one', detail, { type: 'file_access' }],
    ['an identifier by none', { type: 'file_access' }, { type: 'file_access', identifier: 'x' }],
    ['another action', detail, { ...detail, actions: ['read', 'delete'] }],
    ['another place', detail, { ...detail, locations: ['https://c.test'] }],
    ['another data type', detail, { ...detail, datatypes: ['image'] }],
    ['another privilege', detail, { ...detail, privileges: ['root'] }],
    ['an action by an absent list', { type: 't' }, { type: 't', actions: ['a'] }],
    ['an action by a star', { type: 't', actions: ['*'] }, { type: 't', actions: ['a'] }],
    ['a further member it lacks', { type: 't' }, { type: 't', more: 1 }],
    ['less than the further members it has', { type: 't', more: 1 }, { type: 't' }],
    ['a further member of another value', { type: 't', more: 1 }, { type: 't', more: '1' }],
    ['further lists in another order', { type: 't', x: [1, 2] }, { type: 't', x: [2, 1] }],
    ['null by nothing', { type: 't', more: null }, { type: 't' }],
  ])('not %s', (_says, granted, required) => {
    expect(covers(granted, required)).toBe(false)
  })

  it('what any one of several covers, and not what they cover together', () => {
    const several = [
      { type: 't', actions: ['a'] },
      { type: 't', actions: ['b'] },
    ]

    expect(anyCovers(several, { type: 't', actions: ['b'] })).toBe(true)
    expect(anyCovers(several, { type: 't', actions: ['a', 'b'] })).toBe(false)
    expect(anyCovers([], { type: 't' })).toBe(false)
  })
})

describe('the canonical text of a detail', () => {
  it('is the same for details with the same meaning, and for no others', () => {
    expect(canonical({ type: 't', actions: ['b', 'a'], z: { y: 1, x: [2, 1] } })).toBe(
      '{"actions":["a","b"],"type":"t","z":{"x":[2,1],"y":1}}',
    )
    expect(canonical({ z: null, type: 't' })).toBe('{"type":"t","z":null}')
  })
})

describe('isNoWider', () => {
  const of = <T>(...values: T[]) => values
  const lists = of(undefined, [], ['a'], ['a', 'b'])
  const places = of(undefined, [], ['here'], ['here', 'there'])
  /** Every detail of a small universe; `undefined` omits the member. */
  const universe: AuthorizationDetail[] = of('t', 'u').flatMap((type) =>
    of(undefined, 'x').flatMap((identifier) =>
      lists.flatMap((actions) =>
        places.flatMap((locations) =>
          of(undefined, null, 1).map((more) =>
            JSON.parse(JSON.stringify({ type, identifier, actions, locations, more })),
          ),
        ),
      ),
    ),
  )

  /**
   * What a token with the detail permits: the requirements that it meets, at each place where it is
   * valid.
   */
  const accessesOf = (detail: AuthorizationDetail): Set<string> =>
    new Set(
      of('here', 'there', 'elsewhere')
        .filter((place) => detail.locations === undefined || detail.locations.includes(place))
        .flatMap((place) =>
          universe
            .filter((required) => covers(detail, required))
            .map((required) => `${place} ${canonical(required)}`),
        ),
    )

  it('holds exactly when the detail permits nothing that the other does not', () => {
    const accesses = universe.map(accessesOf)
    const wrong = universe.flatMap((held, h) =>
      universe.flatMap((asked, a) => {
        const gains = [...(accesses[a] ?? [])].some((access) => !accesses[h]?.has(access))
        // A detail that is valid nowhere permits nothing, whatever else it says.
        const isSound = !isNoWider(held, asked) || !gains
        const isComplete = isNoWider(held, asked) || gains || asked.locations?.length === 0
        return isSound && isComplete ? [] : [[held, asked]]
      }),
    )

    expect(universe).toHaveLength(192)
    expect(wrong).toEqual([])
  })
})
