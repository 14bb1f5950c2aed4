import { describe, expect, it } from 'vitest'
import { inCamelCase } from '../../../server/wire/camel-case.ts'
import { firstPage, pageBytes, placeAfter } from '../../../server/wire/log-page.ts'

describe('the first page of a log', () => {
  const size = (item: number) => item
  const half = pageBytes / 2

  it.each<[string, number[], number[]]>([
    ['nothing of an empty log', [], []],
    ['all that fits', [half, half], [half, half]],
    ['nothing that begins beyond its size', [half, half, 1], [half, half]],
    ['one item, however large', [pageBytes + 1, 1], [pageBytes + 1]],
    ['no item after one that does not fit', [1, pageBytes, 1], [1]],
  ])('holds %s', (_, items, page) => {
    expect(firstPage(items, size)).toEqual(page)
  })
})

describe('the next page', () => {
  const log = { last: 9, forgotten: 2 }

  it('begins after the last item of this one', () => {
    expect(placeAfter([{ seq: 4 }, { seq: 5 }], false, log)).toStrictEqual({
      next: 5,
      forgotten: 2,
      more: true,
    })
  })

  it('begins after the whole log when this page is the last', () => {
    expect(placeAfter([{ seq: 4 }, { seq: 5 }], true, log)).toStrictEqual({ next: 9, forgotten: 2 })
    expect(placeAfter([], true, log)).toStrictEqual({ next: 9, forgotten: 2 })
    expect(placeAfter([], false, log).next).toBe(9)
  })
})

describe('a value in camelCase', () => {
  it('has its own members renamed, and not those within them', () => {
    expect(inCamelCase({ bytes_per_agent: 1, plain: { left_as_it: 'is' }, a_1: 2 })).toStrictEqual({
      bytesPerAgent: 1,
      plain: { left_as_it: 'is' },
      a_1: 2,
    })
  })

  it.each([[null], ['some_text'], [7], [undefined], [['a_b']]])('stays as it is: %j', (value) => {
    expect(inCamelCase(value)).toBe(value)
  })
})
