import type { OpenApi, Operation, Parameter } from '../../wire/openapi/document.ts'
import type { Schema } from '../../wire/openapi/schemas.ts'

/** A call of an operation by curl. Capital names are shell variables that the reader sets. */
export const curlOf = (document: OpenApi, { method, path, at, operation }: Call): string => {
  const { parameters = [], requestBody, security } = operation
  const query = parameters.filter((it) => it.in === 'query' && it.required)
  const url = `${at}${path.replace(/\{(\w+)\}/g, (_, name: string) => variable(name))}${queryOf(query)}`
  const [way = {}] = security
  const [type, { schema = {} } = {}] = Object.entries(requestBody?.content ?? {})[0] ?? []
  const parts = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}"${url}"`,
    ...Object.keys(way).flatMap((name) => credentials[name] ?? []),
    ...(type === undefined ? [] : bodyOf(type, sampleOf(document, schema))),
  ]
  return parts.join(' \\\n  ')
}

type Call = Readonly<{ method: string; path: string; at: string; operation: Operation }>

const credentials: Readonly<Record<string, string>> = {
  bearer: '-H "Authorization: Bearer $TOKEN"',
  client: '-u "$CLIENT_ID:$CLIENT_SECRET"',
  control: '-H "Authorization: Bearer $CONTROL_TOKEN"',
  model: '-H "Authorization: Bearer $MODEL_KEY"',
  session: '-b "$COOKIE"',
  csrf: '-H "Origin: $ISSUER" -H "X-CSRF-Token: $CSRF_TOKEN"',
}

/** `requestId` as `$REQUEST_ID`. */
const variable = (name: string) => `$${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`

const queryOf = (query: readonly Parameter[]) =>
  query.length === 0 ? '' : `?${query.map(({ name }) => `${name}=${variable(name)}`).join('&')}`

const bodyOf = (type: string, sample: unknown): string[] => {
  if (type === 'application/x-www-form-urlencoded') {
    const members = Object.entries(sample as Record<string, unknown>)
    return members.map(([name, value]) => `-d '${name}=${String(value)}'`)
  }
  return [`-H 'Content-Type: ${type}'`, `-d '${JSON.stringify(sample).replaceAll("'", '\\u0027')}'`]
}

/** The smallest value that a schema allows: what is required, and nothing else. */
export const sampleOf = (document: OpenApi, schema: Schema, name = 'text'): unknown => {
  const { $ref, anyOf, oneOf, properties, type } = schema
  if (typeof $ref === 'string') {
    const meant = document.components.schemas[$ref.split('/').at(-1) ?? '']
    return sampleOf(document, meant ?? {}, name)
  }
  for (const given of ['const', 'default', 'example'] as const) {
    if (schema[given] !== undefined) return schema[given]
  }
  if (Array.isArray(schema.enum)) return schema.enum[0]
  const [first] = ([oneOf, anyOf].find(Array.isArray) ?? []) as Schema[]
  if (first !== undefined && properties === undefined) return sampleOf(document, first, name)
  if (type === 'array') {
    const size = Number(schema.minItems ?? 0)
    const items = (schema.prefixItems as Schema[] | undefined)?.[0] ?? (schema.items as Schema)
    return Array.from({ length: size }, () => sampleOf(document, items ?? {}, name))
  }
  if (type === 'object' || properties !== undefined) {
    const required = [schema.required, first?.required].flatMap((it) =>
      Array.isArray(it) ? it : [],
    )
    const members = (properties ?? {}) as Record<string, Schema>
    return Object.fromEntries(
      [...new Set<string>(required)].map((it) => [it, sampleOf(document, members[it] ?? {}, it)]),
    )
  }
  if (type === 'integer' || type === 'number') return Math.max(1, Number(schema.minimum ?? 1))
  return type === 'boolean' ? true : textOf(schema, name)
}

const textOf = ({ format, pattern, minLength }: Schema, name: string): string => {
  const known = formats[String(format)]
  if (known !== undefined) return known
  const fits = (it: string) =>
    (typeof pattern !== 'string' || new RegExp(pattern, 'u').test(it)) &&
    it.length >= Number(minLength ?? 0)
  return [name, name.replaceAll('_', '-'), 'PT5M', 'https://example.com'].find(fits) ?? name
}

const formats: Readonly<Record<string, string>> = {
  email: 'ada@example.com',
  uri: 'https://example.com',
  'date-time': '2026-11-24T03:00:00Z',
}
