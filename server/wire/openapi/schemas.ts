import { z } from 'zod'

/** A JSON Schema as it stands in the document. */
export type Schema = Readonly<{ [keyword: string]: unknown }>

/** What a reader is told of a schema: as a client sends it, or as the harness answers it. */
export type Direction = 'input' | 'output'

/** A schema as it stands at a place of the document: most often a reference. */
export type Refer = (schema: z.ZodType, direction: Direction) => Schema

/**
 * The schemas that are used, by name. One that a client may send with less than the harness answers,
 * since it has defaults, stands there twice: the one to send is called `…Input`.
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

/** As zod has it, named schemas in `$defs`. */
export const jsonSchema = (schema: z.ZodType, io: Direction) => {
  const { $schema: _, ...said } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema: it }) => {
      // No format of anybody's; the pattern beside it says the same.
      if (it.format === 'starts_with') delete it.format
      delete it.id
    },
  })
  return said
}
