import { describe, expect, it } from 'vitest'
import { isReadable, textMatches } from '../../../../server/issuer/policy/text-pattern.ts'

describe('a pattern of a policy', () => {
  it.each(['(', '[', '(?=x)', '(a)\\1'])(
    'that RE2 cannot compile matches nothing: %s',
    (pattern) => {
      expect(isReadable(pattern)).toBe(false)
      expect(textMatches(pattern, pattern)).toBe(false)
    },
  )

  it.each([
    ['JIRA-\\d+', 'see JIRA-12', true],
    ['^JIRA-\\d+', 'see JIRA-12', false],
    ['(?i)jira', 'JIRA', true],
    ['', '', true],
  ])('matches anywhere in the text: %s in %s', (pattern, text, matches) => {
    expect(isReadable(pattern)).toBe(true)
    expect(textMatches(pattern, text)).toBe(matches)
  })

  it('matches the same after a thousand other patterns', () => {
    for (let at = 0; at <= 1000; at += 1) textMatches(`x${at}`, '')

    expect(textMatches('x1$', 'x1')).toBe(true)
    expect(textMatches('x1$', 'x2')).toBe(false)
  })
})
