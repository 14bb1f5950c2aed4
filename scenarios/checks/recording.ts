import { type Recording, recordedOrigin } from '../../server/wire/index.ts'
import type { Run } from '../runner/verdict.ts'

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
