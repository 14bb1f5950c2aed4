import type { Exchange } from './exchange.ts'
import type { Result } from './verdict.ts'

/**
 * The host-independent part of a result: verdict and answers, without origins. Concurrent answers
 * are compared as unordered statuses.
 */
export const normalizeResult = ({ verdict, exchanges, steps }: Result) => {
  const parallel = steps.filter(({ word }) => word === 'parallel').map(({ step }) => `${step}.`)
  const isTogether = ({ step }: Exchange) => parallel.some((prefix) => step.startsWith(prefix))
  const together = exchanges.filter(isTogether)
  const alone = exchanges.filter((it) => !isTogether(it))
  return {
    verdict,
    answers: renumberIds(
      [...Map.groupBy(alone.filter(isSeat), ({ step }) => step).values()].flatMap((ofStep) =>
        ofStep.map(normalizeExchange).sort(sortByText),
      ),
    ),
    together: together
      .map(({ step, seat, answer }) => `${step.split('.')[0]} ${seat} ${answer.status}`)
      .sort(),
  }
}

const isSeat = ({ seat }: Exchange) => seat !== 'control'

type Normalised = ReturnType<typeof normalizeExchange>

const ids = /\b([a-z]+)_[0-9a-f]{16}\b/g

/** A step may send requests concurrently. */
const sortByText = (a: Normalised, b: Normalised) => {
  const [left, right] = [a, b].map((it) => JSON.stringify(it).replaceAll(ids, '$1'))
  return (left ?? '') < (right ?? '') ? -1 : 1
}

/**
 * Ids depend on the order of concurrent requests, so they are numbered in the order they appear.
 */
const renumberIds = (answers: readonly Normalised[]): readonly Normalised[] => {
  const seen = new Map<string, string>()
  const text = JSON.stringify(answers).replaceAll(ids, (id, kind: string) => {
    const name = seen.get(id) ?? `${kind}_#${seen.size + 1}`
    seen.set(id, name)
    return name
  })
  return JSON.parse(text)
}

/** The first difference between two hosts as a sentence, or undefined. */
export const difference = (a: Result, b: Result): string | undefined => {
  const [left, right] = [normalizeResult(a), normalizeResult(b)]
  if (left.verdict !== right.verdict)
    return `${a.target} ${left.verdict}, ${b.target} ${right.verdict}`
  if (JSON.stringify(left.together) !== JSON.stringify(right.together)) {
    return `concurrently, ${a.target} answered ${left.together.join(', ')}; ${b.target} ${right.together.join(', ')}`
  }
  const length = Math.max(left.answers.length, right.answers.length)
  const index = Array.from({ length }, (_, i) => i).find(
    (i) => JSON.stringify(left.answers[i]) !== JSON.stringify(right.answers[i]),
  )
  if (index === undefined) return undefined
  const [here, there] = [left.answers[index], right.answers[index]].map((it) =>
    it === undefined ? 'nothing' : JSON.stringify(it, null, 2),
  )
  return `${a.target} answered ${here}; ${b.target} ${there}`
}

const kept = [
  'content-type',
  'www-authenticate',
  'insufficient-authorization-details',
  'cache-control',
  'pragma',
  'retry-after',
  'allow',
  'location',
]

const normalizeExchange = ({ step, request, answer }: Exchange) => {
  const { origin, pathname, search } = new URL(request.url)
  const portable = (text: string) =>
    text
      .replaceAll(origin, '{origin}')
      .replaceAll(encodeURIComponent(origin), '{origin}')
      .replaceAll(origins, '{origin}')
      .replaceAll(keys, (_, member: string) => `"${member}":"{key}"`)
  return {
    step,
    request: `${request.method} ${pathname}${portable(search)}`,
    status: answer.status,
    headers: Object.fromEntries(
      kept.flatMap((name) => {
        const value = answer.headers[name]
        return value === undefined ? [] : [[name, portable(value)]]
      }),
    ),
    body: portable(answer.body),
  }
}

/** The mock's origin: a random loopback port or its reserved name, also URL-encoded. */
const origins =
  /https?(?::\/\/|%3A%2F%2F)(?:127\.0\.0\.1|localhost|\[::1\]|(?:issuer|api)\.lumoauth\.test)(?:(?::|%3A)\d+)?/gi

/** Signing keys are made when a harness starts. */
const keys = /"(n|x|y|kid)":"[\w-]{16,}"/g
