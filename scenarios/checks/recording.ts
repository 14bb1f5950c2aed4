import { z } from 'zod'
import type { Run } from '../runner/verdict.ts'

/** What a real issuer answered, without secrets, in the order it was asked. */
export const Recording = z.strictObject({
  recorded: z.iso.datetime(),
  target: z.string(),
  exchanges: z.array(
    z.strictObject({
      scenario: z.string(),
      method: z.string(),
      /** With its query. */
      path: z.string(),
      status: z.int(),
      headers: z.record(z.string(), z.string()),
      body: z.string(),
    }),
  ),
})
export type Recording = z.infer<typeof Recording>

/** The issuer's side of a run. What stood for a secret becomes a word that headers may hold. */
export const recordingOf = ({ target, startedAt, results }: Run): Recording => ({
  recorded: new Date(startedAt).toISOString(),
  target,
  exchanges: results.flatMap(({ title, exchanges }) =>
    exchanges
      .filter((it) => it.seat === 'issuer')
      .map(({ request, answer }) => {
        const { pathname, search, origin } = new URL(request.url)
        return {
          scenario: title,
          method: request.method,
          path: plain(pathname + search, origin),
          status: answer.status,
          headers: Object.fromEntries(
            Object.entries(answer.headers)
              .filter(([name]) => !passing.has(name))
              .map(([name, value]) => [name, plain(value, origin)]),
          ),
          body: plain(answer.body, origin),
        }
      }),
  ),
})

/** Stands for the origin of whoever serves a recording. */
const here = 'http://recorded.invalid'

const plain = (text: string, origin: string): string =>
  text
    .replaceAll(origin, here)
    .replaceAll(/‹([^›]*)›/g, (_, name: string) => `redacted-${name.replaceAll(/\W+/g, '-')}`)

/** Fields about one connection, not about the answer. */
const passing = new Set([
  'connection',
  'keep-alive',
  'date',
  'content-length',
  'transfer-encoding',
  'content-encoding',
  'etag',
])

/**
 * Answers from a recording: the n-th request for a path as the n-th was answered, and from then on
 * as the last was.
 */
export const replaying = ({ exchanges }: Recording) => {
  const lists = Map.groupBy(exchanges, ({ method, path }) => `${method} ${path}`)
  const counts = new Map<string, number>()
  return (method: string, path: string, origin: string) => {
    const key = `${method} ${path}`
    const list = lists.get(key)
    if (list === undefined) {
      const body = { error: 'not_recorded', error_description: `${key} was never recorded` }
      return {
        status: 404,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }
    }
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    const { status, headers, body } = list[
      Math.min(count, list.length - 1)
    ] as (typeof list)[number]
    return { status, headers, body: body.replaceAll(here, origin) }
  }
}
