import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  describeProblems,
  describeUnknownKey,
  keysAt,
  parseOption,
  withoutUnions,
} from '../../../server/wire/schema-issues.ts'

const issuesOf = (schema: z.ZodType, value: unknown) =>
  withoutUnions(schema.safeParse(value).error?.issues ?? []).map(
    ({ code, path }) => `${code} ${path.join('.')}`,
  )

const problemsOf = (schema: z.ZodType, value: unknown) => {
  const { error } = schema.safeParse(value)
  return error === undefined ? [] : describeProblems(schema, error)
}

describe('the issues of a union', () => {
  const dog = z.strictObject({ kind: z.literal('dog'), bark: z.object({ loud: z.boolean() }) })
  const cat = z.strictObject({ kind: z.literal('cat'), purr: z.boolean(), lives: z.number() })
  const pets = z.object({ pets: z.array(z.union([dog, cat])) })

  it('are those of the branch that was read furthest', () => {
    const pet = { kind: 'dog', bark: { loud: 'yes' } }

    expect(issuesOf(pets, { pets: [pet] })).toEqual(['invalid_type pets.0.bark.loud'])
  })

  it('are those of the branch with fewer issues when two were read equally far', () => {
    expect(issuesOf(pets, { pets: [{ kind: 'cat', purr: true, lives: 'nine' }] })).toEqual([
      'invalid_type pets.0.lives',
    ])
  })

  it('are those of the branch that knows all other keys when one key is unknown', () => {
    const known = z.union([z.strictObject({ a: z.string() }), z.strictObject({ b: z.string() })])

    expect(issuesOf(known, { a: 'x', c: 1 })).toEqual(['unrecognized_keys '])
  })

  it('count an unknown key as one level deeper than its object', () => {
    const text = z.object({ n: z.string(), t: z.number() })
    const object = z.object({ n: z.strictObject({ m: z.string() }), t: z.number() })

    expect(issuesOf(z.union([text, object]), { n: { m: 'x', c: 1 }, t: 'x' })).toEqual([
      'unrecognized_keys n',
      'invalid_type t',
    ])
  })

  it('are those of the branch whose deepest issue is deepest', () => {
    const deep = z.object({ a: z.number(), b: z.object({ c: z.object({ d: z.number() }) }) })
    const shallow = z.object({ a: z.string(), b: z.object({ c: z.string() }) })

    expect(issuesOf(z.union([shallow, deep]), { a: 'x', b: { c: { d: 'x' } } })).toEqual([
      'invalid_type a',
      'invalid_type b.c.d',
    ])
  })

  it('stay one issue when the discriminator selects no branch', () => {
    const animals = z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('dog') }),
      z.object({ kind: z.literal('cat') }),
    ])

    expect(issuesOf(animals, { kind: 'cow' })).toEqual(['invalid_union kind'])
  })

  it('within a union are resolved, too', () => {
    const nested = z.union([z.union([z.string(), z.object({ a: z.number() })]), z.null()])

    expect(issuesOf(nested, { a: 'x' })).toEqual(['invalid_type a'])
  })

  it('stay one issue when the union has a message of its own', () => {
    const named = z.union([z.string(), z.number()], { error: 'expected a name or a number' })

    expect(issuesOf(named, true)).toEqual(['invalid_union '])
    expect(problemsOf(named, true)).toEqual(['expected a name or a number'])
  })

  it('stay as they are without a union', () => {
    expect(issuesOf(z.object({ a: z.string() }), { a: 1 })).toEqual(['invalid_type a'])
  })
})

describe('the problems of a value', () => {
  const Seed = z.strictObject({
    agents: z.array(z.strictObject({ name: z.string(), capabilities: z.array(z.string()) })),
  })

  it('name the place, what was expected and what was received, but not the value', () => {
    expect(problemsOf(Seed, { agents: [{ name: 'secret'.length, capabilities: [] }] })).toEqual([
      'agents.0.name: expected string, received number',
    ])
    expect(problemsOf(Seed, 'secret')).toEqual(['expected object, received string'])
    expect(problemsOf(z.string().max(1, { error: 'no Invalid input: x' }), 'long')).toEqual([
      'no Invalid input: x',
    ])
  })

  it('name each unknown key with the most similar one, or with all keys', () => {
    const agent = { name: 'a', capabilities: [], capabilites: [], moon: 1 }

    expect(problemsOf(Seed, { agents: [agent], agnets: [] })).toEqual([
      'agents.0: unknown key "capabilites"; did you mean "capabilities"?',
      'agents.0: unknown key "moon"; expected name, capabilities',
      'unknown key "agnets"; did you mean "agents"?',
    ])
  })

  it('of an unknown key have no hint when no key is known', () => {
    expect(describeUnknownKey('a', [])).toBe('unknown key "a"')
  })
})

describe('an option', () => {
  it('is the parsed value', () => {
    expect(parseOption('seed', z.object({ a: z.string().default('b') }), {})).toEqual({ a: 'b' })
  })

  it('throws a TypeError with a line per error', () => {
    const schema = z.object({ a: z.string(), b: z.number() })

    expect(() => parseOption('seed', schema, {})).toThrow(
      new TypeError(
        'seed: a: expected string, received undefined\nseed: b: expected number, received undefined',
      ),
    )
  })
})

describe('the keys of a schema', () => {
  const Leaf = z.object({ x: z.string(), y: z.string() })
  const Tree = z.object({
    leaf: Leaf,
    optional: Leaf.optional(),
    defaulted: Leaf.default({ x: '', y: '' }),
    list: z.array(Leaf),
    record: z.record(z.string(), Leaf),
    union: z.union([Leaf, z.object({ y: z.string(), z: z.string() })]),
    pipe: Leaf.transform((it) => it),
    text: z.string(),
  })

  it.each<[PropertyKey[], string[]]>([
    [['leaf'], ['x', 'y']],
    [['optional'], ['x', 'y']],
    [['defaulted'], ['x', 'y']],
    [['list'], []],
    [
      ['list', 3],
      ['x', 'y'],
    ],
    [['record'], []],
    [
      ['record', 'any'],
      ['x', 'y'],
    ],
    [['union'], ['x', 'y', 'z']],
    [['pipe'], ['x', 'y']],
    [['text'], []],
    [['unknown'], []],
    [['leaf', 'x', 'deeper'], []],
  ])('at %j are %j', (path, keys) => {
    expect(keysAt(Tree, path)).toEqual(keys)
  })

  it('at its beginning are its own', () => {
    expect(keysAt(Tree, [])).toEqual(Object.keys(Tree.shape))
  })

  it('at other members are those of the catchall', () => {
    expect(keysAt(z.object({ a: z.string() }).catchall(Leaf), ['other'])).toEqual(['x', 'y'])
  })

  it('are none of a value that is not a schema', () => {
    expect(keysAt({}, ['a'])).toEqual([])
  })
})
