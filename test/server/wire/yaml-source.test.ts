import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { FlawedFile, parseYaml, readYaml } from '../../../server/wire/yaml-source.ts'

/** Found by fuzzing (test/trust/fuzz-texts.test.ts). */
describe('unreadable YAML is rejected quickly, with a message:', () => {
  it.each([
    ['an alias that leads nowhere', 'a: *nothing', 'x.yaml:1:1: Unresolved alias'],
    [
      'a merge of nothing',
      '<<: *nothing',
      'x.yaml:1:1: expected a map, or an alias of one, after <<',
    ],
    [
      'a text in UTF-16',
      '\ufffd\ufffds\0c\0',
      'x.yaml:1:1: expected UTF-8: this looks like UTF-16',
    ],
    ['several documents', 'a: 1\n---\na: 2\n', 'x.yaml:2:1: expected one document a file'],
    [
      'an integer that no number of JavaScript equals',
      'a: 1\nb: [9007199254740993]\n',
      'x.yaml:2:5: this integer is too large to be kept exactly: put it in quotes',
    ],
    ['collections as keys within one another', '? '.repeat(1000), 'not nested so deeply'],
    [
      'a list within a list, and so on',
      `${'['.repeat(1000)}${']'.repeat(1000)}`,
      'not nested so deeply',
    ],
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]`,
      'Excessive alias count',
    ],
  ])('%s', (_, text, complaint) => {
    const read = () => parseYaml('x.yaml', text, z.unknown())

    expect(read).toThrow(FlawedFile)
    expect(read).toThrow(complaint)
  })
})

describe('large YAML', () => {
  const keys = (count: number) =>
    Array.from({ length: count }, (_, index) => `k${index}: 1`).join('\n')

  it('reports each duplicate key among 20,000 others', () => {
    const { value, problems } = readYaml(`${keys(20_000)}\nk7: 2\n"k8": 3\ninner: {k7: 1, k7: 2}`)

    expect(value).toBeUndefined()
    expect(problems).toEqual([
      { line: 20_001, column: 1, message: 'Map keys must be unique' },
      { line: 20_002, column: 1, message: 'Map keys must be unique' },
      { line: 20_003, column: 16, message: 'Map keys must be unique' },
    ])
  })

  it('from the network is rejected before it is parsed', () => {
    const text = keys(10_000)

    expect(() => parseYaml('x.yaml', text, z.unknown(), 15_000)).toThrow('at most 15000 tokens')
    expect(parseYaml('x.yaml', text, z.unknown())).toMatchObject({ k9999: 1 })
  })

  it('is rejected with its first hundred mistakes', () => {
    expect(readYaml('- @\n'.repeat(500)).problems).toHaveLength(100)
    expect(() => parseYaml('x.yaml', keys(500), z.record(z.string(), z.string()))).toThrow(
      expect.objectContaining({ flaws: expect.objectContaining({ length: 100 }) }),
    )
  })
})

describe('a YAML text', () => {
  const Crew = z.strictObject({
    name: z.string(),
    members: z
      .array(z.strictObject({ id: z.string(), scopes: z.array(z.string()).default([]) }))
      .default([]),
    limits: z.strictObject({ ttl: z.number() }).optional(),
  })
  const flawsOf = (text: string) => {
    try {
      parseYaml('crew.yaml', text, Crew)
    } catch (thrown) {
      if (thrown instanceof FlawedFile) return thrown.message.split('\n')
      throw thrown
    }
    return []
  }

  it('becomes the value the schema returns', () => {
    expect(parseYaml('crew.yaml', 'name: a\nmembers: [{ id: b }]', Crew)).toEqual({
      name: 'a',
      members: [{ id: 'b', scopes: [] }],
    })
  })

  it.each([
    [
      'a wrong value at its key',
      'name: a\nlimits:\n  ttl: soon',
      'crew.yaml:3:3: limits.ttl: Invalid input: expected number, received string',
    ],
    [
      'a wrong item where it stands',
      'name: a\nmembers:\n  - id: b\n    scopes: [x, 7]',
      'crew.yaml:4:17: members.0.scopes.1: Invalid input: expected string, received number',
    ],
    [
      'a key that is unknown where it stands',
      'name: a\nnmae: b',
      'crew.yaml:2:1: unknown key "nmae"; did you mean "name"?',
    ],
    [
      'an unknown key of an item where it stands',
      'name: a\nmembers:\n  - id: b\n    scpoes: []',
      'crew.yaml:4:5: members.0: unknown key "scpoes"; did you mean "scopes"?',
    ],
    [
      'what an item lacks at the item',
      'name: a\nmembers:\n  - id: b\n  - scopes: []',
      'crew.yaml:4:5: members.1.id: Invalid input: expected string, received undefined',
    ],
    [
      'what a mapping lacks at its key',
      'name: a\nlimits: {}',
      'crew.yaml:2:1: limits.ttl: Invalid input: expected number, received undefined',
    ],
    [
      'what is not there at all where the text begins',
      '# A crew.\n\nmembers: []',
      'crew.yaml:3:1: name: Invalid input: expected string, received undefined',
    ],
    [
      'an empty text at its beginning',
      '',
      'crew.yaml:1:1: Invalid input: expected object, received null',
    ],
    [
      'a duplicate key at its second position',
      'name: a\nname: b',
      'crew.yaml:2:1: Map keys must be unique',
    ],
    [
      'invalid YAML after an unknown alias',
      'name: *unknown\nmembers: "',
      'crew.yaml:2:11: Missing closing "quote',
    ],
  ])('is rejected for %s', (_, text, flaw) => {
    expect(flawsOf(text)).toEqual([flaw])
  })

  it('is rejected for all its mistakes at once, each on a line', () => {
    const read = () => parseYaml('crew.yaml', 'name: 1\nmembers: 2', Crew)

    expect(read).toThrow(
      expect.objectContaining({
        name: 'FlawedFile',
        message:
          'crew.yaml:1:1: name: Invalid input: expected string, received number\n' +
          'crew.yaml:2:1: members: Invalid input: expected array, received number',
        flaws: [
          {
            file: 'crew.yaml',
            line: 1,
            column: 1,
            message: 'name: Invalid input: expected string, received number',
          },
          {
            file: 'crew.yaml',
            line: 2,
            column: 1,
            message: 'members: Invalid input: expected array, received number',
          },
        ],
      }),
    )
  })
})
