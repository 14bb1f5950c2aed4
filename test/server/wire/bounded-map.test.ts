import { describe, expect, it } from 'vitest'
import { BoundedMap } from '../../../server/wire/bounded-map.ts'

describe('a bounded map', () => {
  it('drops the entry that was set longest ago', () => {
    const map = new BoundedMap<string, number>(2)

    map.set('a', 1).set('b', 2).set('a', 3).set('c', 4)

    expect([...map]).toEqual([
      ['a', 3],
      ['c', 4],
    ])
  })

  it('drops nothing below its limit', () => {
    const map = new BoundedMap<string, number>(2)

    map.set('a', 1).set('b', 2).delete('a')
    map.set('c', 3)

    expect([...map.keys()]).toEqual(['b', 'c'])
  })
})
