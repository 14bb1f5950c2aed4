import { z } from 'zod'

/** A JSON Schema as written in the document. */
export type Schema = Readonly<{ [keyword: string]: unknown }>

/** Whether a schema describes what a client sends or what the harness answers. */
export type Direction = 'input' | 'output'

/** A schema at a place in the document: most often a reference. */
export type Refer = (schema: z.ZodType, direction: Direction) => Schema

/**
 * Collects the schemas in use, by name. A schema with defaults has optional members when a client sends
 * it; it is listed twice, and the one to send is called `…Input`.
 */
export const vocabulary = (
  used: readonly (readonly [z.ZodType, Direction])[],
): { refer: Refer; schemas: Record<string, Schema> } => {
  const known = { input: new Map<string, Schema>(), output: new Map<string, Schema>() }
  const roots = { input: new Map<z.ZodType, Schema>(), output: new Map<z.ZodType, Schema>() }
  for (const [schema, direction] of used) {
    const { $defs = {}, ...root } = jsonSchema(schema, direction)
    roots[direction].set(schema, root)
    for (const [id, definition] of Object.entries($defs)) known[direction].set(id, definition)
  }

  const meaning = (id: string, direction: Direction): string =>
    [...reachable(known[direction], id)]
      .sort()
      .map((it) => JSON.stringify(known[direction].get(it)))
      .join()
  const nameOf = (id: string, direction: Direction): string => {
    if (direction === 'output' || !known.output.has(id)) return id
    return meaning(id, 'input') === meaning(id, 'output') ? id : `${id}Input`
  }
  const named = (schema: unknown, direction: Direction): Schema =>
    JSON.parse(JSON.stringify(schema), (key, value) =>
      key === '$ref' ? schemaRef(nameOf(value.slice(defs.length), direction)) : value,
    )

  const schemas = (['input', 'output'] as const).flatMap((direction) =>
    [...known[direction]].map(([id, schema]): [string, Schema] => [
      nameOf(id, direction),
      named(schema, direction),
    ]),
  )
  return {
    refer: (schema, direction) => named(roots[direction].get(schema), direction),
    schemas: Object.fromEntries(schemas.sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

const reachable = (known: ReadonlyMap<string, Schema>, id: string, seen = new Set<string>()) => {
  if (seen.has(id)) return seen
  seen.add(id)
  for (const [, next = ''] of JSON.stringify(known.get(id)).matchAll(/"#\/\$defs\/([^"]+)"/g)) {
    reachable(known, next, seen)
  }
  return seen
}

export const defs = '#/$defs/'
export const schemaRef = (id: string) => `#/components/schemas/${id}`

/** The schema as zod generates it, with named schemas in `$defs`. */
export const jsonSchema = (schema: z.ZodType, io: Direction) => {
  const { $schema: _, ...said } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema: it }) => {
      // Removes formats that no standard defines; the pattern beside each says the same.
      if (it.format === 'starts_with') delete it.format
      delete it.id
    },
  })
  return said
}
