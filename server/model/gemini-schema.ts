import { inCamelCase } from '../wire/camel-case.ts'
import { isRecord } from './minimal-value.ts'

/** A schema in Gemini's form as JSON Schema: types in lower case, and limits as numbers. */
export const jsonSchemaOf = (schema: unknown): unknown => {
  const named = inCamelCase(schema)
  return isRecord(named)
    ? Object.fromEntries(Object.entries(named).map(([name, it]) => [name, memberOf(name, it)]))
    : named
}

const memberOf = (name: string, value: unknown): unknown => {
  switch (name) {
    case 'type':
      return typeof value === 'string' ? value.toLowerCase() : value
    case 'properties':
      return isRecord(value)
        ? Object.fromEntries(Object.entries(value).map(([key, it]) => [key, jsonSchemaOf(it)]))
        : value
    case 'items':
      return jsonSchemaOf(value)
    case 'anyOf':
      return Array.isArray(value) ? value.map(jsonSchemaOf) : value
    default:
      // In JSON, Google writes integers of 64 bits as texts.
      return /^(?:min|max)/.test(name) && typeof value === 'string' ? Number(value) : value
  }
}
