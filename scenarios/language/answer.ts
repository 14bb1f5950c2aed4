import { parseJson } from '../../server/wire/json.ts'
import type { Violation } from '../../server/wire/violations.ts'
import { isObject } from './match.ts'

/** An answer as a step sees it. */
export type Answer = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  /** Parsed where it is JSON, else as text; undefined where there is none. */
  body: unknown
  violations: readonly Violation[]
}>

/** Builds an answer from a response. */
export const readAnswer = (
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
  violations: readonly Violation[] = [],
): Answer => ({
  status,
  headers,
  body: text === '' ? undefined : (parseJson(text) ?? text),
  violations,
})

export const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300

/** An error as a short text: `answered 403 access_denied (…)`. */
export const summarizeAnswer = ({ status, body }: Pick<Answer, 'status' | 'body'>): string => {
  const { error, error_description: description } = isObject(body) ? body : {}
  const said = typeof error === 'string' ? ` ${error}${description ? ` (${description})` : ''}` : ''
  return `answered ${status}${said}`
}
