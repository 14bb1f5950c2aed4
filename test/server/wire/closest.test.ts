import { describe, expect, it } from 'vitest'
import { closest, didYouMean } from '../../../server/wire/closest.ts'

describe('the closest word', () => {
  it.each<[string, string, string[], string | undefined]>([
    ['is the word itself', 'abc', ['abd', 'abc'], 'abc'],
    ['is the word in another case', 'ABC', ['xyz', 'abc'], 'abc'],
    ['may lack a letter', 'documnts', ['documents'], 'documents'],
    ['may have one too many', 'docuuments', ['documents'], 'documents'],
    ['may have a wrong one', 'docyments', ['documents'], 'documents'],
    ['may have two swapped', 'hte', ['the'], 'the'],
    ['may have two swapped in the middle', 'docuemnts', ['reports', 'documents'], 'documents'],
    ['may be wrong in a third of its letters', 'abcdxx', ['abcdef'], 'abcdef'],
    ['is none that is wrong in more', 'abcxxx', ['abcdef'], undefined],
    ['may be wrong in one letter however short', 'ab', ['xb'], 'xb'],
    ['is none that is wrong in two letters of three', 'abc', ['xyc'], undefined],
    ['is none that only shares a beginning', 'doc', ['documents'], undefined],
    ['is the nearest of several', 'taksk', ['talks', 'task'], 'task'],
    ['is the first of the nearest', 'cat', ['hat', 'bat'], 'hat'],
    ['is none where there are no words', 'x', [], undefined],
    ['is none that swaps letters which are apart', 'abc', ['cba'], undefined],
    ['is none that only moves a letter to the left', 'ab', ['ca'], undefined],
    ['is none that only moves a letter to the right', 'ab', ['bc'], undefined],
    ['is counted from both ends', 'xxxabcdef', ['abcdef'], 'abcdef'],
    ['is counted to both ends', 'abcdefxxx', ['abcdef'], 'abcdef'],
    ['is none with one letter more', 'xxxxabcdef', ['abcdef'], undefined],
    ['may be wrong twice in seven letters, and be swapped', 'aprrove', ['approve'], 'approve'],
  ])('%s: %s', (_says, word, candidates, expected) => {
    expect(closest(word, candidates)).toBe(expected)
  })

  it('is suggested by name, or not at all', () => {
    expect(didYouMean('taks', ['task'])).toBe('; did you mean "task"?')
    expect(didYouMean('moon', ['task'])).toBe('')
  })
})
