import { describe, expect, it } from 'vitest'
import { complete } from '../../../scenarios/ui/complete.ts'

/** The words that complete a text at the mark `|`. */
const wordsAt = (text: string, rules?: ReadonlyMap<string, string>) =>
  complete(text.replace('|', ''), text.indexOf('|'), rules).options.map(({ word }) => word)

describe('completion in a scenario', () => {
  it('offers the keys of a scenario that are not there yet', () => {
    const words = wordsAt('scenario: One rule\n|')

    expect(words).toEqual(expect.arrayContaining(['covers', 'given', 'steps']))
    expect(words).not.toContain('scenario')
  })

  it('offers actions at the beginning of a step, with what they do', () => {
    const text = 'scenario: One rule\nsteps:\n  - op|'
    const { options } = complete(text.replace('|', ''), text.indexOf('|'))

    expect(options).toContainEqual({
      word: 'open_task',
      insert: 'open_task: ',
      says: expect.stringMatching(/^The agent creates a task/),
    })
  })

  it('offers the members of the action in a step, not those of other actions', () => {
    const words = wordsAt(
      'scenario: One rule\nsteps:\n  - request_permission: { details: $needed, | }\n',
    )

    expect(words).toContain('justification')
    expect(words).not.toContain('notes')
  })

  it('offers what may stand beside an action', () => {
    const words = wordsAt('scenario: One rule\nsteps:\n  - call: GET /x\n    |\n')

    expect(words).toEqual(expect.arrayContaining(['expect', 'save', 'with', 'note']))
    expect(words).not.toContain('open_task')
  })

  it('offers the words of an enumeration', () => {
    expect(wordsAt('scenario: One rule\nprefix: |\n')).toEqual(['tenant', 'org', 'both'])
  })

  it('offers rules by their sentences', () => {
    const rules = new Map([['RAR-20', 'The granted details are a subset.']])

    expect(wordsAt('scenario: One rule\ncovers: [RAR|]\n', rules)).toEqual(['RAR-20'])
  })

  it('replaces the whole word at the caret, and keeps its colon', () => {
    const text = 'scenario: One rule\nste|: []\n'

    expect(complete(text.replace('|', ''), text.indexOf('|'))).toMatchObject({
      from: 19,
      to: 22,
      options: [expect.objectContaining({ insert: 'steps' })],
    })
  })

  it.each(['|', '{|', 'a: [|', '\t|: :', '- - -|', '"|'])('survives %j', (text) => {
    expect(Array.isArray(wordsAt(text))).toBe(true)
  })
})
