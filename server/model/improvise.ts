import type { Turn } from '../wire/index.ts'
import type { Said } from './script.ts'

/** A tool as a request offers it: its name, and the JSON Schema of its arguments. */
export type OfferedTool = Readonly<{ name: string; parameters?: unknown }>

/**
 * What the model says where no script was given and the usual one has no reply: it calls the first tool it is
 * offered, once, with the plainest arguments the schema allows, and then answers with the result.
 */
export const improvise = (tools: readonly OfferedTool[], turns: readonly Turn[]): Said => {
  const results = turns.filter(({ role }) => role === 'tool')
  const newest = results.at(-1)
  const asked = turns.findLast(({ role }) => role === 'user')?.text ?? ''
  if (newest !== undefined) return { text: `The tool answered: ${newest.text}`, calls: [] }
  const [first] = tools
  if (first === undefined) return { text: `You said: ${asked}`, calls: [] }
  const value = plainestValue(first.parameters, asked)
  const args = isRecord(value) ? value : {}
  return { text: '', calls: [{ name: first.name, arguments: args }] }
}

/** A value that the schema allows, as far as it says; texts are what the user asked. */
const plainestValue = (schema: unknown, asked: string): unknown => {
  if (!isRecord(schema)) return asked
  if ('const' in schema) return schema.const
  if ('default' in schema) return schema.default
  for (const list of [schema.enum, schema.examples]) {
    if (Array.isArray(list) && list.length > 0) return list[0]
  }
  for (const among of [schema.anyOf, schema.oneOf]) {
    if (Array.isArray(among) && among.length > 0) return plainestValue(among[0], asked)
  }
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'integer' || type === 'number') {
    return typeof schema.minimum === 'number' ? schema.minimum : 1
  }
  if (type === 'boolean') return true
  if (type === 'null') return null
  if (type === 'array') {
    return typeof schema.minItems === 'number' && schema.minItems > 0
      ? [plainestValue(schema.items, asked)]
      : []
  }
  if (type === 'object' || isRecord(schema.properties)) {
    const properties = isRecord(schema.properties) ? schema.properties : {}
    const required = Array.isArray(schema.required) ? schema.required : Object.keys(properties)
    return Object.fromEntries(
      required
        .filter((name): name is string => typeof name === 'string')
        .map((name) => [name, plainestValue(properties[name], asked)]),
    )
  }
  return asked
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
