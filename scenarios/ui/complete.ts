import { type Document, isMap, isPair, isScalar, isSeq, parseDocument, visit } from 'yaml'
import { isObject } from '../language/match.ts'
import { scenarioSchema } from '../language/schema.ts'

/** What can stand at a place of a text. */
export type Completion = Readonly<{
  /** Offsets of the text it replaces. */
  from: number
  to: number
  options: readonly CompletionOption[]
}>

/** One possible word, with its description. */
export type CompletionOption = Readonly<{ word: string; insert: string; says: string }>

/**
 * The keys and values that a scenario may have at the caret, from its JSON Schema.
 * @param rules ids of rules with their sentences, for `covers`
 */
export const complete = (
  text: string,
  caret: number,
  rules: ReadonlyMap<string, string> = new Map(),
): Completion => {
  const typed = /[\w-]*$/.exec(text.slice(0, caret))?.[0] ?? ''
  const rest = /^[\w-]*/.exec(text.slice(caret))?.[0] ?? ''
  const [from, to] = [caret - typed.length, caret + rest.length]
  const [before, after] = [text.slice(0, from), text.slice(to)]
  const hasColon = /^\s*:/.test(after)
  const options = [
    ...keysAt(parseDocument(`${before}${mark}${hasColon ? '' : ': null'}${after}`), hasColon),
    ...(hasColon ? [] : valuesAt(parseDocument(before + mark + after), rules)),
  ]
  return {
    from,
    to,
    options: options.filter(
      (it, index) =>
        it.word.toLowerCase().includes(typed.toLowerCase()) &&
        options.findIndex(({ word }) => word === it.word) === index,
    ),
  }
}

/** Stands in for the word at the caret. */
const mark = 'xCARETx'

const keysAt = (document: Document, hasColon: boolean): readonly CompletionOption[] => {
  const place = findMark(document, 'key')
  if (place === undefined) return []
  const siblings = keysOf(document, place).filter((it) => it !== mark)
  return schemasAt(document, place)
    .flatMap((it) => Object.entries(isObject(it.properties) ? it.properties : {}))
    .filter(([key]) => !siblings.includes(key))
    .map(([key, schema]) => ({
      word: key,
      insert: hasColon ? key : `${key}: `,
      says: descriptionOf(schema),
    }))
}

const valuesAt = (
  document: Document,
  rules: ReadonlyMap<string, string>,
): readonly CompletionOption[] => {
  const place = findMark(document, 'value')
  if (place === undefined) return []
  if (place[0] === 'covers') {
    return [...rules].map(([id, says]) => ({ word: id, insert: id, says }))
  }
  return schemasAt(document, place)
    .flatMap((it) => [
      ...(Array.isArray(it.enum) ? it.enum : []),
      ...(it.const === undefined ? [] : [it.const]),
      ...(it.type === 'boolean' ? [true, false] : []),
    ])
    .map((it) => ({ word: String(it), insert: String(it), says: '' }))
}

type Place = readonly (string | number)[]

/** The path of the map that has the mark as a key, or of the mark as a value. */
const findMark = (document: Document, as: 'key' | 'value'): Place | undefined => {
  let found: Place | undefined
  visit(document, {
    Scalar: (key, node, ancestors) => {
      if (node.value !== mark || (key === 'key') !== (as === 'key')) return undefined
      const path: (string | number)[] = []
      for (const [index, it] of ancestors.entries()) {
        const next = ancestors[index + 1] ?? node
        if (isSeq(it)) path.push(it.items.indexOf(next))
        if (isPair(it) && next !== it.key && isScalar(it.key)) path.push(String(it.key.value))
      }
      found = path
      return visit.BREAK
    },
  })
  return found
}

const keysOf = (document: Document, place: Place): readonly string[] => {
  const node = place.length === 0 ? document.contents : document.getIn(place, true)
  return isMap(node) ? node.items.map(({ key }) => (isScalar(key) ? String(key.value) : '')) : []
}

type Schema = Readonly<Record<string, unknown>>

let known: Schema | undefined

/** The schemas that hold at a place; of alternatives, those that fit what is written there. */
const schemasAt = (document: Document, place: Place): readonly Schema[] => {
  known ??= scenarioSchema()
  let schemas = fitting([known], keysOf(document, []))
  for (const [index, step] of place.entries()) {
    const children = schemas.flatMap((it) => childrenOf(it, step))
    schemas = fitting(children, keysOf(document, place.slice(0, index + 1)))
  }
  return schemas
}

const childrenOf = (schema: Schema, step: string | number): readonly Schema[] => {
  if (typeof step === 'number') return [schema.items].filter(isObject)
  const { properties, additionalProperties } = schema
  const named =
    isObject(properties) && Object.hasOwn(properties, step) ? properties[step] : undefined
  return [named ?? additionalProperties].filter(isObject)
}

/** The alternatives of schemas that allow these keys; all where none does. */
const fitting = (schemas: readonly Schema[], keys: readonly string[]): readonly Schema[] => {
  const all = schemas.flatMap((it) => alternativesOf(it))
  const written = keys.filter((it) => it !== mark)
  const fit = all.filter(({ properties, additionalProperties }) =>
    written.every(
      (key) =>
        (isObject(properties) && Object.hasOwn(properties, key)) || isObject(additionalProperties),
    ),
  )
  return fit.length > 0 ? fit : all
}

const alternativesOf = (schema: Schema, depth = 0): readonly Schema[] => {
  if (depth > 8) return []
  const { $ref, anyOf, oneOf, allOf } = schema
  const target =
    typeof $ref === 'string'
      ? (known?.definitions as Record<string, Schema>)?.[$ref.replace('#/definitions/', '')]
      : undefined
  const inner = [target, ...[anyOf, oneOf, allOf].filter(Array.isArray).flat()].filter(isObject)
  return [schema, ...inner.flatMap((it) => alternativesOf(it, depth + 1))]
}

const descriptionOf = (schema: unknown): string => {
  if (!isObject(schema)) return ''
  return alternativesOf(schema)
    .map((it) => it.description)
    .filter((it) => typeof it === 'string')
    .slice(0, 1)
    .join('')
}
