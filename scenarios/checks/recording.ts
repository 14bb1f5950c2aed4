import { type Recording, recordedOrigin } from '../../server/wire/index.ts'
import type { Run } from '../runner/verdict.ts'

/**
 * The issuer's exchanges of a run. Names of secrets become words that header fields may contain.
 */
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
          path: replaceOrigin(pathname + search, origin),
          status: answer.status,
          headers: Object.fromEntries(
            Object.entries(answer.headers)
              .filter(([name]) => !passing.has(name))
              .map(([name, value]) => [name, replaceOrigin(value, origin)]),
          ),
          body: replaceOrigin(answer.body, origin),
        }
      }),
  ),
})

const replaceOrigin = (text: string, origin: string): string =>
  text
    .replaceAll(origin, recordedOrigin)
    .replaceAll(/‹([^‹›]*)›/g, (_, name: string) => `redacted-${name.replaceAll(/\W+/g, '-')}`)

/** Header fields of the connection, not of the answer. */
const passing = new Set([
  'connection',
  'keep-alive',
  'date',
  'content-length',
  'transfer-encoding',
  'content-encoding',
  'etag',
])
