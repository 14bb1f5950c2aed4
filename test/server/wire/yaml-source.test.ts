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

describe('the bounds of a YAML text', () => {
  const flaw = (text: string, mostTokens?: number) => {
    const { problems, value } = readYaml(text, mostTokens)
    return problems[0]?.message ?? value
  }
  const tooDeep = 'expected YAML that is not nested so deeply'

  it.each([
    ['lists', '[', ']'],
    ['maps', '{a: ', '}'],
  ])('are 64 levels of %s', (_, open, close) => {
    const nested = (levels: number) => open.repeat(levels) + close.repeat(levels)

    expect(flaw(nested(64))).not.toBe(tooDeep)
    expect(flaw(nested(65))).toBe(tooDeep)
  })

  it('do not limit how many lists and maps there are beside each other', () => {
    expect(flaw(`[${'[a], {b: c}, '.repeat(100)}]`)).toHaveLength(200)
  })

  it('include the given number of tokens', () => {
    const tokens = (most: number) => flaw('a', most)

    expect(tokens(2)).toBe('expected YAML of at most 2 tokens')
    expect(tokens(3)).toBe('a')
  })

  it.each([
    '9007199254740992',
    '-9007199254740993',
    '+9007199254740993',
    '0x20000000000001',
    '0o400000000000000001',
  ])('reject the integer %s, which is not kept exactly', (text) => {
    expect(readYaml(`[${text}]`).problems).toEqual([
      { line: 1, column: 2, message: expect.stringContaining('too large to be kept exactly') },
    ])
  })

  it.each(['9007199254740991', '1.5', '1e300', '.inf', '0x1F', '0o17', "'9007199254740993'"])(
    'accept %s',
    (text) => {
      expect(readYaml(`[${text}]`).problems).toEqual([])
    },
  )

  it('reject UTF-16 at the beginning of a text only', () => {
    for (const text of ['\ufffd\ufffda\0', 'a\0:\0', '\0a']) {
      expect(flaw(text)).toBe('expected UTF-8: this looks like UTF-16; save the file as UTF-8')
    }
    expect(flaw('a: "\ufffd\ufffd"')).toEqual({ a: '\ufffd\ufffd' })
  })

  it('report flaws of all kinds by their place', () => {
    const text = 'a: 9007199254740993\nb: 1\nb: 2\nc: 9007199254740993\n'

    expect(readYaml(text).problems.map(({ line }) => line)).toEqual([1, 3, 4])
  })
})

describe('the place in a YAML text', () => {
  it('is its beginning where it is unreadable', () => {
    expect(readYaml('\0').locate(['a'], 'value')).toEqual({ line: 1, column: 1 })
  })

  it.each<[string, PropertyKey[], 'key' | 'value', number]>([
    ['a key', ['a'], 'key', 1],
    ['a value', ['a'], 'value', 4],
    ['a key within', ['a', 'b'], 'key', 5],
    ['a value within', ['a', 'b'], 'value', 8],
    ['an item', ['a', 'b', 1], 'key', 13],
    ['the nearest of what is missing', ['a', 'x'], 'key', 1],
    ['the nearest item of what is missing', ['a', 'b', 7], 'value', 8],
    ['the nearest of what a text lacks', ['a', 'b', 1, 'x'], 'value', 13],
  ])('is found for %s: %j, %s', (_, path, part, column) => {
    expect(readYaml('a: {b: [10, 20]}').locate(path, part)).toEqual({ line: 1, column })
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
