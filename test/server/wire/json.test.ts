import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../server/wire/json.ts'

describe('parseJson', () => {
  it.each([
    ['{"a":[1]}', { a: [1] }],
    ['null', null],
    ['"text"', 'text'],
  ])('reads %s', (text, value) => {
    expect(parseJson(text)).toEqual(value)
  })

  it.each(['', '{', "{'a':1}", 'nothing'])('gives undefined for %j', (text) => {
    expect(parseJson(text)).toBeUndefined()
  })
})
