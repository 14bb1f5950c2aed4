import type { HttpRequest } from '../message.ts'
import { answerWith } from '../refusals.ts'

/** Whether a `Host` is a name of this harness. Another name that resolves to it is DNS rebinding. */
export const isOurHost = (host: string, origin: string): boolean =>
  host.toLowerCase() === new URL(origin).host || isLoopbackName(host)

/** The name in a `Host`, in lower case (RFC 3986 §6.2.2.1), without its port. */
export const nameOfHost = (host: string): string => host.toLowerCase().replace(/:\d+$/, '')

export const isLoopbackName = (host: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(nameOfHost(host))

/**
 * Whether an `Origin` is that of the page's own server: the configured origin, or, by http, another
 * host of this request that belongs to the harness.
 * @param host the `Host` of the request
 */
export const isSameOrigin = (
  origin: string,
  host: string | undefined,
  configured: string,
): boolean => {
  const own = new URL(configured)
  if (origin === own.origin) return true
  return (
    host !== undefined &&
    host.toLowerCase() !== own.host &&
    isOurHost(host, configured) &&
    URL.parse(`http://${host}`)?.origin === origin
  )
}

/**
 * Rejects a request with a `Host` that is not ours.
 * @param area named in the error, such as `the control plane`
 * @throws {HttpError} 403 `foreign_host`
 */
export const refuseForeignHost = (
  { headers: { host }, knownHost }: HttpRequest,
  origin: string,
  area: string,
): void => {
  if (host === undefined || (knownHost ?? isOurHost(host, origin))) return
  answerWith(
    403,
    'foreign_host',
    `${area} does not accept this Host; start --allow-host NAME adds one`,
  )
}

/**
 * Rejects a request from a page of another site.
 * @param isOurs receives the `Origin` of the request
 * @throws {HttpError} 403 `foreign_origin`
 */
export const refuseForeignOrigin = (
  { headers: { origin } }: HttpRequest,
  isOurs: (origin: string | undefined) => boolean,
  area: string,
): void => {
  if (!isOurs(origin)) {
    answerWith(403, 'foreign_origin', `${area} does not accept this Origin`)
  }
}
