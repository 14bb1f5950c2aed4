import { readChallenge, readChallengeBody } from '../../server/wire/index.ts'
import type { actions } from '../language/actions.ts'
import { type Answer, isSuccess, summarizeAnswer } from '../language/answer.ts'
import { answerParts } from '../language/format.ts'
import { isObject, match } from '../language/match.ts'
import { ExpectationFailed, type Outcome } from '../language/step-context.ts'
import { partOf } from '../language/variables.ts'

export type Looks = (typeof actions)[keyof typeof actions]['looks']

/** By default a step expects success. */
export const checkAnswer = (looks: Looks, expect: unknown, { answer, value }: Outcome) => {
  const expected = isObject(expect) ? expect : {}
  const ofHttp = looks === 'answer' || isHttpStatus(expected.status)
  const statusSaid =
    (ofHttp && 'status' in expected) || 'error' in expected || 'challenge' in expected
  if (answer !== undefined && !statusSaid && !isSuccess(answer)) {
    throw new ExpectationFailed(`expected success, ${summarizeAnswer(answer)}`, [], [], 'refused')
  }
  const view = (answer === undefined ? {} : viewOf('answer', { answer, value })) as Record<
    string,
    unknown
  >
  const differences = Object.entries(expected).flatMap(([key, it]) => {
    if (looks === 'value') return match(it, partOf(value, [key]), key, ['expect', key])
    if (key === 'headers' && isObject(it)) {
      return Object.entries(it).flatMap(([name, header]) =>
        match(header, partOf(view.headers, [name.toLowerCase()]), `headers.${name}`, [
          'expect',
          key,
          name,
        ]),
      )
    }
    const whole = key === 'violation' || (answerParts.includes(key) && (key !== 'status' || ofHttp))
    return match(it, whole ? view[key] : partOf(value, [key]), key, ['expect', key])
  })
  if (differences.length === 0) return
  const wrong = differences.map(({ path }) => path)
  const answered = wrong.some((path) => path === 'status' || path === 'error')
  throw new ExpectationFailed(
    `does not match: ${listPaths(wrong)}${answered && answer ? `; ${summarizeAnswer(answer)}` : ''}`,
    [],
    differences,
  )
}

const listPaths = (paths: readonly string[]): string =>
  paths.length > 3
    ? `${paths.slice(0, 3).join(', ')} and ${paths.length - 3} more`
    : paths.join(', ')

/** What `save` can reach. */
export const viewOf = (looks: Looks, { answer, value }: Outcome): unknown => {
  if (answer === undefined) return value
  const whole = {
    status: answer.status,
    error: isObject(answer.body) ? answer.body.error : undefined,
    headers: answer.headers,
    body: answer.body,
    challenge: challengeOf(answer),
    violation:
      answer.violations.length === 0
        ? undefined
        : answer.violations.map(({ message }) => message).join('; '),
  }
  return looks === 'answer' ? whole : { ...whole, ...(isObject(answer.body) ? answer.body : {}) }
}

/** The challenged detail; an array if there are several. */
const challengeOf = ({ status, headers, body }: Answer): unknown => {
  const field = (name: string) => headers[name.toLowerCase()] ?? null
  try {
    const details = readChallenge(status, { get: field }) ?? readChallengeBody(body)
    return details?.length === 1 ? details[0] : details
  } catch (error) {
    return { malformed: error instanceof Error ? error.message : String(error) }
  }
}

/** For actions, `status: 403` is the HTTP status and `status: approved` a member of the body. */
const isHttpStatus = (expected: unknown): boolean => {
  if (typeof expected === 'number') return true
  const inner = Array.isArray(expected)
    ? expected
    : isObject(expected)
      ? Object.values(expected)
      : []
  return inner.length > 0 && inner.every(isHttpStatus)
}
