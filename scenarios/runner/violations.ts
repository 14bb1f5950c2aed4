import type { z } from 'zod'
import { ErrorBody, type Route, type RouteName, routes } from '../../server/wire/index.ts'
import { parseJson } from '../../server/wire/json.ts'
import { type Issue, withoutUnions } from '../../server/wire/schema-issues.ts'
import type { Violation } from '../language/answer.ts'

/** Where an answer breaks its wire schema. */
export const violationsOf = (
  name: RouteName | undefined,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): Violation[] => {
  const { pages, answers }: Partial<Route> = name === undefined ? {} : routes[name]
  if (pages && headers['content-type']?.startsWith('text/html')) return []
  if (status >= 400) return violationsOfJson(ErrorBody, headers, text)
  if (name === undefined || answers === undefined) return []
  const schema = answers[status]
  if (schema === undefined) {
    const expected = Object.keys(answers).join(' or ')
    return [
      violation('status', `${name} answers ${expected}, not ${status}`, expected, `${status}`),
    ]
  }
  if (schema !== null) return violationsOfJson(schema, headers, text)
  const says = `${name} ${status} must have no body, received ${text.length} bytes`
  return text === '' ? [] : [violation('body', says, 'no body', `${text.length} bytes`)]
}

const violationsOfJson = (
  schema: z.ZodType,
  headers: Readonly<Record<string, string>>,
  text: string,
): Violation[] => {
  const type = headers['content-type']
  if (!/^application\/([\w.-]+\+)?json\b/.test(type ?? '')) {
    return [
      violation(
        'content_type',
        `expected content-type application/json, received ${type ?? 'none'}`,
        'JSON',
        type,
      ),
    ]
  }
  const body = parseJson(text)
  if (body === undefined) return [violation('json', 'the body is not JSON', 'JSON')]
  const parsed = schema.safeParse(body)
  return parsed.success
    ? []
    : withoutUnions(parsed.error.issues).map((issue) => violationOfIssue(issue, body))
}

/** A violation of the answer as a whole. */
const violation = (
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
