import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fitArguments, minimalValue } from '../../../server/model/minimal-value.ts'

type Node = { name: string; children: Node[]; next: Node | null }
const Node: z.ZodType<Node> = z.lazy(() =>
  z.object({ name: z.string(), children: z.array(Node), next: Node.nullable() }),
)

describe('the simplest value of a schema', () => {
  it.each<[string, z.ZodType]>([
    ['a string', z.string()],
    ['a long string', z.string().min(30)],
    ['a short string', z.string().max(3)],
    ['an integer', z.int()],
    ['an integer above 1', z.int().min(2)],
    ['a negative integer', z.int().lt(-5)],
    ['a number between two others', z.number().gt(0).lt(1)],
    ['a multiple', z.int().multipleOf(5).gt(10)],
    ['a negative multiple', z.number().max(-7).multipleOf(2)],
    ['a boolean', z.boolean()],
    ['null', z.null()],
    ['a constant', z.literal('eur')],
    ['one of several values', z.enum(['day', 'week'])],
    ['a default', z.object({ limit: z.int().default(20) })],
    ['an e-mail address', z.object({ to: z.email() })],
    ['a date', z.iso.date()],
    ['a point in time', z.iso.datetime()],
    ['a UUID', z.uuid()],
    ['a URL', z.url()],
    ['an IP address', z.ipv4()],
    ['a list of at least two', z.array(z.object({ id: z.string() })).min(2)],
    ['a list of none', z.array(z.string())],
    ['a pair', z.tuple([z.string(), z.int()])],
    ['a union', z.union([z.object({ id: z.int() }), z.string()])],
    [
      'a discriminated union',
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('all') }),
        z.strictObject({ kind: z.literal('one'), id: z.string() }),
      ]),
    ],
    ['an intersection', z.intersection(z.object({ a: z.string() }), z.object({ b: z.int() }))],
    ['a nullable object', z.object({ id: z.string() }).nullable()],
    ['a strict object in another', z.strictObject({ range: z.strictObject({ from: z.int() }) })],
    ['a map', z.record(z.string(), z.int())],
    ['anything', z.unknown()],
    ['a recursive object', Node],
  ])('is valid for %s', (_, schema) => {
    const value = minimalValue(z.toJSONSchema(schema), 'Order 7?')

    expect(schema.safeParse(value)).toMatchObject({ success: true })
  })

  it('follows references to definitions, also with an escaped name', () => {
    const schema = {
      $defs: { 'date/range': { properties: { days: { type: 'integer', minimum: 3 } } } },
      properties: { range: { $ref: '#/$defs/date~1range', description: 'when' } },
      required: ['range'],
    }

    expect(minimalValue(schema, 'hi')).toEqual({ range: { days: 3 } })
  })

  it('joins the properties of anyOf with those beside it', () => {
    const schema = {
      type: 'object',
      properties: { id: { type: 'string' }, name: { type: 'string' } },
      anyOf: [{ required: ['name'] }, { required: ['id'] }],
    }

    expect(minimalValue(schema, 'hi')).toEqual({ name: 'hi' })
  })

  it.each([
    ['a reference to itself', { $ref: '#' }],
    ['an object that contains itself', { properties: { it: { $ref: '#' } }, required: ['it'] }],
    ['an unknown reference', { $ref: '#/$defs/none' }],
    ['a list', []],
    ['nothing', undefined],
    ['false', false],
  ])('is the text for %s', (_, schema) => {
    expect(minimalValue(schema, 'hi')).toBe('hi')
  })

  it('ends for a short schema that describes a large value', () => {
    const twice = (name: string) => ({
      properties: { a: { $ref: `#/$defs/${name}` }, b: { $ref: `#/$defs/${name}` } },
      required: ['a', 'b'],
    })
    const names = Array.from({ length: 40 }, (_, at) => `d${at}`)
    const $defs = Object.fromEntries(names.map((name, at) => [name, twice(`d${at + 1}`)]))

    expect(minimalValue({ $defs, $ref: '#/$defs/d0' }, 'hi')).toBe('hi')
  })
})

describe('arguments fitted to a schema', () => {
  const schema = {
    type: 'object',
    properties: {
      content: { type: 'string' },
      number: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
      kind: { enum: ['short', 'long'] },
      words: { type: 'integer', minimum: 50 },
    },
    required: ['content', 'words'],
  }

  it('leave out what the schema does not name, and add what it requires', () => {
    expect(fitArguments(schema, { title: 'Q4', content: 'It rose.' }, 'hi')).toEqual({
      content: 'It rose.',
      words: 50,
    })
  })

  it('replace a text where the schema allows none', () => {
    const given = { content: 'It rose.', number: 'doc_1', kind: 'doc_2', words: 'doc_3' }

    expect(fitArguments(schema, given, 'hi')).toEqual({
      content: 'It rose.',
      number: 1,
      kind: 'short',
      words: 50,
    })
  })

  it.each([
    ['further properties', { ...schema, additionalProperties: true }, { words: 50 }],
    ['any property', { type: 'object' }, {}],
    ['no schema', undefined, {}],
  ])('keep every argument for a schema with %s', (_, parameters, added) => {
    const given = { title: 'Q4', content: 'It rose.' }

    expect(fitArguments(parameters, given, 'hi')).toEqual({ ...given, ...added })
  })
})
