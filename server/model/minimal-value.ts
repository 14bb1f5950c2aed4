type Schema = Readonly<Record<string, unknown>>

/**
 * The simplest value that a JSON Schema allows. `pattern` and `uniqueItems` are not considered.
 * @param text the value of every string that the schema leaves open
 */
export const minimalValue = (schema: unknown, text: string): unknown => {
  const value = valueIn(schema, { text, root: schema, open: [], budget: { left: 1000 } })
  return value === undefined ? text : value
}

/**
 * `open` holds the references that the value is within: a recursive schema ends there. `budget` bounds
 * the parts of the value, because a short schema can describe a large one.
 */
type Context = Readonly<{
  text: string
  root: unknown
  open: readonly string[]
  budget: { left: number }
}>

/** Undefined where every value of a recursive schema would be infinite. */
const valueIn = (given: unknown, outer: Context): unknown => {
  outer.budget.left -= 1
  if (outer.budget.left < 0) return undefined
  if (!isRecord(given)) return outer.text
  const { schema, refs } = mergeParts(given, outer.root)
  if (refs.some((ref) => outer.open.includes(ref))) return undefined
  const context = { ...outer, open: [...outer.open, ...refs] }
  if ('const' in schema) return schema.const
  if ('default' in schema) return schema.default
  for (const list of [schema.enum, schema.examples]) {
    if (Array.isArray(list) && list.length > 0) return list[0]
  }
  for (const among of [schema.anyOf, schema.oneOf]) {
    if (!Array.isArray(among) || among.length === 0) continue
    const { anyOf: _, oneOf: __, ...common } = schema
    return firstOf(among, (part) => valueIn({ allOf: [common, part] }, context))
  }
  const types = typesOf(schema)
  return firstOf(types, (type) => valueOfType(type, schema, context))
}

const valueOfType = (type: unknown, schema: Schema, context: Context): unknown => {
  switch (type) {
    case 'object':
      return objectOf(schema, context)
    case 'array':
      return arrayOf(schema, context)
    case 'integer':
    case 'number':
      return numberOf(schema)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return stringOf(schema, context.text)
  }
}

/** The required properties; all of them, where the schema names none as required. */
const objectOf = (schema: Schema, context: Context): unknown => {
  const properties = isRecord(schema.properties) ? schema.properties : {}
  const required = Array.isArray(schema.required) ? schema.required : undefined
  const members = (required ?? Object.keys(properties)).map((name) => [
    String(name),
    valueIn(properties[String(name)], context),
  ])
  const isInfinite = required !== undefined && members.some(([, value]) => value === undefined)
  if (isInfinite) return undefined
  return Object.fromEntries(members.filter(([, value]) => value !== undefined))
}

const arrayOf = ({ minItems, prefixItems, items }: Schema, context: Context): unknown => {
  const first = Array.isArray(prefixItems) ? prefixItems : []
  const length = typeof minItems === 'number' ? Math.min(minItems, 100) : first.length
  const values = Array.from({ length }, (_, at) => valueIn(first[at] ?? items, context))
  return values.includes(undefined) ? undefined : values
}

/** 1, where the schema allows it; otherwise the nearest bound. */
const numberOf = (schema: Schema): number => {
  const bound = (name: string) => (typeof schema[name] === 'number' ? schema[name] : undefined)
  const [above, below] = [bound('exclusiveMinimum'), bound('exclusiveMaximum')]
  const [least, most] = [bound('minimum'), bound('maximum')]
  const step = bound('multipleOf') ?? 1
  const candidates = [
    1,
    Math.ceil((least ?? above ?? 1) / step) * step,
    above === undefined ? undefined : (Math.floor(above / step) + 1) * step,
    least,
    Math.floor((most ?? below ?? 1) / step) * step,
    below === undefined ? undefined : (Math.ceil(below / step) - 1) * step,
    ((least ?? above ?? 0) + (most ?? below ?? 1)) / 2,
  ]
  const isAllowed = (value: number) =>
    (least === undefined || value >= least) &&
    (most === undefined || value <= most) &&
    (above === undefined || value > above) &&
    (below === undefined || value < below) &&
    (schema.multipleOf === undefined || Number.isInteger(value / step))
  return candidates.find((value) => value !== undefined && isAllowed(value)) ?? least ?? 1
}

const formats: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  time: '12:00:00Z',
  'date-time': '2026-01-31T12:00:00Z',
  duration: 'PT1H',
  email: 'user@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  uuid: '3f2b8a44-6c1d-4e0f-9b7a-5d2e1c0f8a96',
}

const stringOf = ({ format, minLength, maxLength }: Schema, text: string): string => {
  const formatted = formats[String(format)]
  if (formatted !== undefined) return formatted
  const least = typeof minLength === 'number' ? Math.min(minLength, 10_000) : 0
  const long = text.padEnd(least, text === '' ? '.' : text)
  return typeof maxLength === 'number' ? long.slice(0, maxLength) : long
}

/** Joins a schema with what `$ref` and `allOf` add to it. */
const mergeParts = (
  schema: Schema,
  root: unknown,
): Readonly<{ schema: Schema; refs: readonly string[] }> => {
  const merged: Record<string, unknown> = {}
  const refs: string[] = []
  const seen = new Set<unknown>()
  const add = (part: unknown) => {
    if (!isRecord(part) || seen.has(part)) return
    seen.add(part)
    const { $ref: ref, allOf, ...own } = part
    if (typeof ref === 'string') {
      refs.push(ref)
      add(atPointer(root, ref))
    }
    for (const inner of Array.isArray(allOf) ? allOf : []) add(inner)
    const { properties, required } = merged
    Object.assign(merged, own)
    if (isRecord(properties) && isRecord(own.properties)) {
      merged.properties = { ...properties, ...own.properties }
    }
    if (Array.isArray(required) && Array.isArray(own.required)) {
      merged.required = [...new Set([...required, ...own.required])]
    }
  }
  add(schema)
  return { schema: merged, refs }
}

/** The part of a document at a reference such as `#/$defs/Item`. */
const atPointer = (root: unknown, ref: string): unknown =>
  ref
    .replace(/^#\/?/, '')
    .split('/')
    .filter((name) => name !== '')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((part, name) => (isRecord(part) ? part[name] : undefined), root)

const typesOf = ({ type, properties, items }: Schema): readonly unknown[] => {
  if (Array.isArray(type) && type.length > 0) return type
  if (type !== undefined) return [type]
  return [isRecord(properties) ? 'object' : items === undefined ? 'string' : 'array']
}

/** The first defined result. */
const firstOf = <T>(among: readonly T[], find: (item: T) => unknown): unknown => {
  for (const item of among) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Arguments for a tool: without those its schema does not name, and with the simplest value for each
 * that is required and missing, or that may not be a text and is one.
 */
export const fitArguments = (
  parameters: unknown,
  given: Readonly<Record<string, unknown>>,
  text: string,
): Record<string, unknown> => {
  if (!isRecord(parameters)) return { ...given }
  const { schema } = mergeParts(parameters, parameters)
  const { properties, required = [], additionalProperties = false } = schema
  if (!isRecord(properties)) return { ...given }
  const simplest = minimalValue({ ...parameters, required: Object.keys(properties) }, text)
  const values = isRecord(simplest) ? simplest : {}
  const fitted: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(properties, name)) {
      if (additionalProperties !== false) fitted[name] = value
      continue
    }
    const isAllowed = typeof value !== 'string' || allowsText(properties[name], value, parameters)
    fitted[name] = isAllowed ? value : values[name]
  }
  for (const name of Array.isArray(required) ? required : []) {
    if (!Object.hasOwn(fitted, name)) fitted[name] = values[name]
  }
  return fitted
}

/** Whether a schema allows a text, as far as its type and its list of values say. */
const allowsText = (given: unknown, text: string, root: unknown): boolean => {
  if (!isRecord(given)) return true
  const { schema } = mergeParts(given, root)
  if (Array.isArray(schema.enum)) return schema.enum.includes(text)
  if ('const' in schema) return schema.const === text
  const among = [schema.anyOf, schema.oneOf].find(Array.isArray) ?? [schema]
  return among.some(
    (part) => !isRecord(part) || typesOf(mergeParts(part, root).schema).includes('string'),
  )
}

export const isRecord = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
