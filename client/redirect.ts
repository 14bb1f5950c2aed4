import type { Body } from './body.ts'
import { RedirectRefusedError } from './errors.ts'

/** A request before it is sent, without a token. */
export type Hop = Readonly<{ url: URL; method: string; headers: Headers; body: Body }>

/**
 * The request that follows a redirect, with method and body by the rules of the Fetch standard;
 * undefined when the answer is not a redirect. For another origin it keeps only safe headers.
 * @throws {RedirectRefusedError} when the redirect would send the body to another origin, leave TLS, or
 * use a scheme other than HTTP, and when the target is hidden (browsers hide it)
 */
export const followRedirect = (response: Response, hop: Hop): Hop | undefined => {
  if (response.type === 'opaqueredirect') {
    throw new RedirectRefusedError(`${placeOf(hop)}: this fetch hides the target of a redirect`)
  }
  const location = response.headers.get('location')
  if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return undefined
  const url = URL.parse(location, hop.url.href)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new RedirectRefusedError(`${placeOf(hop)}: expected a redirect to an http(s) URL`)
  }
  const next = becomesGet(response.status, hop.method)
    ? { url, method: 'GET', headers: withoutHeaders(hop.headers, bodyHeaders), body: null }
    : { ...hop, url }
  return url.origin === hop.url.origin ? next : prepareCrossOriginHop(hop, next)
}

/** The name of a request in messages, without its query, which may contain secrets. */
export const placeOf = ({ method, url }: Pick<Hop, 'method' | 'url'>): string =>
  `${method} ${url.origin}${url.pathname}`

const becomesGet = (status: number, method: string) =>
  (status === 303 && !['GET', 'HEAD'].includes(method)) ||
  ((status === 301 || status === 302) && method === 'POST')

const bodyHeaders = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-type',
]

const withoutHeaders = (headers: Headers, names: readonly string[]): Headers => {
  const kept = new Headers(headers)
  for (const name of names) kept.delete(name)
  return kept
}

const prepareCrossOriginHop = (hop: Hop, next: Hop): Hop => {
  if (next.body !== undefined && next.body !== null) {
    throw new RedirectRefusedError(`${placeOf(hop)}: would redirect its body to ${next.url.origin}`)
  }
  if (hop.url.protocol === 'https:' && next.url.protocol === 'http:') {
    throw new RedirectRefusedError(`${placeOf(hop)}: would redirect from https to http`)
  }
  const headers = new Headers()
  for (const name of harmless) {
    const value = next.headers.get(name)
    if (value !== null) headers.set(name, value)
  }
  return { ...next, headers }
}

const harmless = ['accept', 'accept-language', 'if-modified-since', 'if-none-match', 'range']
