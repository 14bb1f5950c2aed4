import { didYouMean } from '../wire/closest.ts'
import { type Recording, recordedOrigin } from '../wire/index.ts'
import type { Step } from './core.ts'
import { errorAnswer } from './errors.ts'
import type { HttpRequest } from './message.ts'

/**
 * Answers with the recording of `check issuer --record`: the n-th request for a path gets its n-th
 * recorded answer, later requests the last one. Other requests for the recorded tenant get an error,
 * because that issuer's answer is unknown. All other paths go to the core.
 */
export const replayRecording = (
  { exchanges }: Recording,
  origin: () => string,
): Step<HttpRequest> => {
  const lists = Map.groupBy(exchanges, ({ method, path }) => `${method} ${normalizePath(path)}`)
  const tenants = new Set(exchanges.map(({ path }) => tenantIn(path)))
  const counts = new Map<string, number>()
  return async (request, next) => {
    const query = request.query.toString()
    const asked = `${request.method} ${request.path}${query === '' ? '' : `?${query}`}`
    const count = counts.get(asked) ?? 0
    const recorded = lists
      .get(asked)
      ?.slice(0, count + 1)
      .at(-1)
    if (recorded !== undefined) {
      counts.set(asked, count + 1)
      const { status, headers, body } = recorded
      const here = (text: string) => text.replaceAll(recordedOrigin, origin())
      return {
        status,
        headers: Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, here(v)])),
        ...(body === '' ? {} : { body: here(body) }),
      }
    }
    if (!tenants.has(tenantIn(request.path) ?? '')) return next(request)
    const shown = asked.slice(0, 200)
    const meant = didYouMean(shown, lists.keys())
    return errorAnswer(404, 'not_recorded', `the recording has no answer for ${shown}${meant}`)
  }
}

/** The tenant with the most requests in a recording. */
export const findRecordedTenant = ({ exchanges }: Recording): string | undefined => {
  const [most] = [...Map.groupBy(exchanges, ({ path }) => tenantIn(path))]
    .filter(([tenant]) => tenant !== undefined)
    .sort(([, a], [, b]) => b.length - a.length)
  return most?.[0]
}

const tenantIn = (path: string) => /^\/+(?:t|orgs)\/([^/?]+)/.exec(path)?.[1]

/** Normalises a path: its query is written as `URLSearchParams` writes it. */
const normalizePath = (path: string) => {
  const [start = '', query] = path.split(/\?(.*)/s)
  return query ? `${start}?${new URLSearchParams(query)}` : start
}
