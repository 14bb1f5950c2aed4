import type { z } from 'zod'
import {
  describeUnknownKey,
  type Issue,
  keysAt,
  withoutUnions,
} from '../../server/wire/schema-issues.ts'
import { mostFlaws } from '../../server/wire/yaml-source.ts'
import { isObject, type Path, show } from './match.ts'

/** Reports an error at a path of the file. */
export type Report = (
  message: string,
  path: Path,
  how?: {
    part?: 'key' | 'value'
    severity?: 'error' | 'warning'
    /** The unknown key. */
    unknownKey?: string
  },
) => void

/** Reports the issues of a schema. Returns whether there are none. */
export const checkSchema = (
  schema: z.ZodType,
  value: unknown,
  path: Path,
  report: Report,
): boolean => {
  const parsed = schema.safeParse(value)
  if (parsed.success) return true
  for (const issue of withoutUnions(parsed.error.issues))
    reportIssue(issue, schema, value, path, report)
  return false
}

const reportIssue = (
  issue: Issue,
  schema: z.ZodType,
  value: unknown,
  base: Path,
  report: Report,
): void => {
  const inner = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))
  const path = [...base, ...inner]
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, inner)
    for (const key of issue.keys.slice(0, mostFlaws)) {
      report(describeUnknownKey(key, known), [...path, key], { part: 'key', unknownKey: key })
    }
    return
  }
  const received = inner.reduce<unknown>(
    (it, key) =>
      isObject(it) || Array.isArray(it) ? (it as Record<string | number, unknown>)[key] : undefined,
    value,
  )
  if (received === undefined && inner.length > 0) {
    report(`"${inner.at(-1)}" is missing: ${messageOf(issue)}`, path.slice(0, -1))
    return
  }
  report(`${messageOf(issue)}, not ${show(received, 60)}`, path)
}

const messageOf = (issue: Issue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`
    case 'invalid_value':
      return `expected ${issue.values.map((it) => String(it)).join(', ')}`
    case 'too_small':
      return `expected at least ${issue.minimum}${units[issue.origin] ?? ''}`
    default:
      return issue.message
  }
}

const units: Readonly<Record<string, string>> = { array: ' of them', string: ' characters' }
