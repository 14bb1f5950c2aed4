import type { z } from 'zod'
import { ErrorBody } from './error.ts'
import type { Route } from './routes/route.ts'
import { type RouteName, routes } from './routes/routes.ts'
import { type Issue, withoutUnions } from './schema-issues.ts'

/** Where an answer violates its wire schema. */
export type Violation = Readonly<{
  /** The kind of violation: one about the whole answer, or the zod code for a member of the body. */
  code: 'status' | 'content_type' | 'json' | 'body' | Issue['code']
  /** The member of the body; empty for the answer as a whole. */
  path: readonly string[]
  message: string
  expected: string | undefined
  /** What was received: a status, a media type, or the JSON type of the member. */
  received: string | undefined
}>

/**
 * Where an answer violates the schema of its route, or an error the schema of errors.
 * @param body parsed; undefined when there is none
 */
export const violationsOf = (
  name: RouteName | undefined,
  status: number,
  body: unknown,
): Violation[] => {
  if (status >= 400) return violationsOfSchema(ErrorBody, body)
  const { answers }: Partial<Route> = name === undefined ? {} : routes[name]
  if (answers === undefined) return []
  const schema = answers[status]
  if (schema === undefined) {
    const expected = Object.keys(answers).join(' or ')
    return [
      violation('status', `${name} answers ${expected}, not ${status}`, expected, `${status}`),
    ]
  }
  if (schema !== null) return violationsOfSchema(schema, body)
  const says = `${name} ${status} must have no body`
  return body === undefined ? [] : [violation('body', says, 'no body', typeNameOf(body))]
}

const violationsOfSchema = (schema: z.ZodType, body: unknown): Violation[] => {
  const parsed = schema.safeParse(body)
  return parsed.success
    ? []
    : withoutUnions(parsed.error.issues).map((issue) => violationOfIssue(issue, body))
}

/** A violation of the answer as a whole. */
export const violation = (
  code: Violation['code'],
  message: string,
  expected?: string,
  received?: string,
): Violation => ({ code, path: [], message, expected, received })

const violationOfIssue = (issue: Issue, body: unknown): Violation => {
  const path = issue.path.map(String)
  return {
    code: issue.code,
    path,
    message: `${path.join('.') || 'body'}: ${issue.message}`,
    expected: expectedBy(issue),
    received: typeNameOf(path.reduce<unknown>((it, key) => Object(it)[key], body)),
  }
}

/** What an issue expects, in the words of the schema. */
const expectedBy = (issue: Issue): string | undefined => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected
    case 'too_big':
      return `at most ${issue.maximum}`
    case 'too_small':
      return `at least ${issue.minimum}`
    case 'invalid_value':
      return issue.values.map(String).join(' or ')
    default:
      return undefined
  }
}

/** The JSON type of a value; `undefined` for a member that is missing. */
const typeNameOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
