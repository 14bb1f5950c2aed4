import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { z } from 'zod'
import type { OpenApi } from '../../server/wire/openapi/document.ts'
import type { Schema } from '../../server/wire/openapi/schemas.ts'

/** A body, or a form or query by its fields. */
type Value = unknown

export type Fault = Readonly<{
  /** `authorization_details.type: too long` */
  says: string
  value: Value
}>

/** Values for members with a known name: real ids get further than invented ones. */
export type Known = Readonly<Record<string, unknown>>

/**
 * A value with every member of its schema that can be combined.
 * @throws when no such value is found; then this file must be extended
 */
export const sample = (
  components: OpenApi['components'],
  described: Schema,
  schema: z.ZodType,
  known: Known = {},
): Value => {
  let value = made(components, described, known)
  for (let tries = 0; tries < 20; tries += 1) {
    const parsed = schema.safeParse(value)
    if (parsed.success) return value
    const path = parsed.error.issues[0]?.path ?? []
    const left = without(value, path)
    // A missing member cannot be removed: the member that needs it is removed instead.
    value = isDeepStrictEqual(left, value) ? without(value, path.slice(0, -1)) : left
  }
  throw new Error(`no sample: ${JSON.stringify(schema.safeParse(value).error?.issues)}`)
}

/** The sample with one invalid or unusual value, at each of its members in turn. */
export const faultsOf = (
  components: OpenApi['components'],
  described: Schema,
  whole: Value,
): Fault[] => [
  ...membersOf(components, described, whole).flatMap(({ path, schema, value }) => {
    const name = path.join('.')
    const others = Object.entries(strange(schema, value)).map(
      ([says, other]): Fault => ({
        says: `${name}: ${says}`,
        value: withMember(whole, path, other),
      }),
    )
    return [{ says: `${name}: missing`, value: without(whole, path) }, ...others]
  }),
  ...objectsOf(whole).flatMap((path) =>
    ['unknown_member', 'constructor'].map((name): Fault => {
      const value = withMember(whole, [...path, name], 'x')
      return { says: `${[...path, name].join('.')}: unknown`, value }
    }),
  ),
]

type Path = readonly (string | number)[]
type Member = Readonly<{ path: Path; schema: Schema; value: Value }>

const resolved = ({ schemas }: OpenApi['components'], schema: Schema): Schema =>
  typeof schema.$ref === 'string'
    ? resolved({ schemas } as OpenApi['components'], schemas[nameIn(schema.$ref)] ?? {})
    : schema

const nameIn = (ref: string) => ref.split('/').at(-1) ?? ''

const made = (components: OpenApi['components'], given: Schema, known: Known): Value => {
  const schema = resolved(components, given)
  if ('const' in schema) return schema.const
  if (Array.isArray(schema.enum)) return schema.enum[0]
  const [first] = choices(schema)
  if (first) return made(components, first, known)
  switch ([schema.type].flat()[0]) {
    case 'object':
      return Object.fromEntries(
        Object.entries((schema.properties ?? {}) as Record<string, Schema>).map(
          ([name, member]) => [name, name in known ? known[name] : made(components, member, known)],
        ),
      )
    case 'array':
      return (items(schema) ?? [{ type: 'string' }]).map((it) => made(components, it, known))
    case 'string':
      return text(schema)
    case 'integer':
    case 'number':
      return typeof schema.minimum === 'number' ? Math.max(schema.minimum, 1) : 1
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return { any: 'thing' }
  }
}

/** Beside a type, `anyOf` only says which members belong together. */
const choices = ({ type, anyOf, oneOf }: Schema): readonly Schema[] =>
  type === undefined ? ([anyOf, oneOf].find(Array.isArray) ?? []) : []

const items = ({ items, prefixItems }: Schema): readonly Schema[] | undefined => {
  if (Array.isArray(prefixItems)) return prefixItems
  return items ? [items as Schema] : undefined
}

const text = ({ format, pattern, minLength = 0 }: Schema): string => {
  const known: Record<string, string> = {
    email: 'alice@example.com',
    uri: 'https://client.example/path',
    'date-time': '2030-01-01T00:00:00Z',
  }
  const formatted = known[String(format)]
  if (formatted !== undefined) return formatted
  if (typeof pattern !== 'string') return 'text'.padEnd(Number(minLength), 'x')
  const matching = fc.stringMatching(new RegExp(pattern, 'u'))
  return fc.sample(matching, { seed: 1, numRuns: 1 })[0] ?? ''
}

/** Every member of a sample, at any depth, with its schema. */
const membersOf = (
  components: OpenApi['components'],
  given: Schema,
  value: Value,
  path: Path = [],
): Member[] => {
  const schema = resolved(components, given)
  const chosen = choices(schema)
  // The sample was built from the first choice, unless that did not fit.
  if (chosen[0]) return membersOf(components, chosen[0], value, path)
  if (Array.isArray(value)) {
    const [first = {}] = items(schema) ?? []
    const [member] = value
    return [
      { path: [...path, 0], schema: resolved(components, first), value: member },
      ...membersOf(components, first, member, [...path, 0]),
    ]
  }
  if (typeof value !== 'object' || value === null) return []
  const properties = (schema.properties ?? {}) as Record<string, Schema>
  return Object.entries(value).flatMap(([name, member]) => {
    const described = properties[name] ?? {}
    const here = [...path, name]
    return [
      { path: here, schema: resolved(components, described), value: member },
      ...membersOf(components, described, member, here),
    ]
  })
}

/** The paths of all objects in a value. */
const objectsOf = (value: Value, path: Path = []): Path[] => {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.entries(value).flatMap(([name, member]) =>
    objectsOf(member, [...path, Array.isArray(value) ? Number(name) : name]),
  )
  return Array.isArray(value) ? inner : [path, ...inner]
}

/** Other values for a place: of each other type, too long, too large, unprintable. */
const strange = (schema: Schema, value: Value): Record<string, Value> => {
  const { maxLength, maxItems, maximum, minimum } = schema
  const types = { null: null, number: 7, text: 'text', array: [], object: {} }
  const others = Object.entries(types).filter(([, it]) => typeof it !== typeof value || it === null)
  return {
    ...Object.fromEntries(others.map(([name, it]) => [`${name} in its place`, it])),
    ...(typeof value === 'string'
      ? {
          empty: '',
          'too long': 'x'.repeat(typeof maxLength === 'number' ? maxLength + 1 : 20_000),
          'with a NUL': `${value}\0`,
          'with half a character': `${value}\ud800`,
          'a path': '../../../etc/passwd',
        }
      : {}),
    ...(typeof value === 'number'
      ? {
          'too large': typeof maximum === 'number' ? maximum + 1 : 1e300,
          'too small': typeof minimum === 'number' ? minimum - 1 : -1e300,
          'a fraction': 0.5,
        }
      : {}),
    ...(Array.isArray(value)
      ? {
          'too many': Array.from(
            { length: typeof maxItems === 'number' ? maxItems + 1 : 500 },
            () => value[0] ?? 'x',
          ),
        }
      : {}),
  }
}

const withMember = (whole: Value, path: Path, member: Value): Value => {
  const [name, ...rest] = path
  if (name === undefined) return member
  if (Array.isArray(whole)) {
    return whole.map((it, at) => (at === name ? withMember(it, rest, member) : it))
  }
  const object = whole as Readonly<Record<string, Value>>
  const inner = Object.hasOwn(object, name) ? object[name] : undefined
  return { ...object, [name]: withMember(inner, rest, member) }
}

const without = (whole: Value, path: readonly PropertyKey[]): Value => {
  const [name, ...rest] = path
  if (name === undefined || typeof whole !== 'object' || whole === null) return whole
  const entries = Object.entries(whole).flatMap(([key, member]) => {
    if (key !== String(name)) return [[key, member] as const]
    return rest.length === 0 ? [] : [[key, without(member, rest)] as const]
  })
  return Array.isArray(whole) ? entries.map(([, it]) => it) : Object.fromEntries(entries)
}
