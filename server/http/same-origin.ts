import type { HttpRequest } from './message.ts'
import { answerWith } from './refusals.ts'

/** Whether a `Host` is a name of this harness, and not one that only resolves here (DNS rebinding). */
export const isOurHost = (host: string, origin: string): boolean =>
  host.toLowerCase() === new URL(origin).host || isLoopbackName(host)

/** The name in a `Host`, in lower case (RFC 3986 §6.2.2.1), without its port. */
export const nameOfHost = (host: string): string => host.toLowerCase().replace(/:\d+$/, '')

export const isLoopbackName = (host: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(nameOfHost(host))

/**
 * Whether an `Origin` is that of the page's own server: the configured one, or the host and port to which the
 * browser sent this very request, if they are ours.
 * @param host the `Host` of the request
 */
export const isSameOrigin = (
  origin: string,
  host: string | undefined,
  configured: string,
): boolean => {
  if (origin === new URL(configured).origin) return true
  return host !== undefined && isOurHost(host, configured) && URL.parse(origin)?.host === host
}

/**
 * Refuses a request under a name that is not ours.
 * @param area named in the refusal, such as `the control plane`
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
    `${area} does not answer under this name; start --allow-host NAME adds one`,
  )
}

/**
 * Refuses a request from a page of another site.
 * @param isOurs receives the `Origin` of the request
 * @throws {HttpError} 403 `foreign_origin`
 */
export const refuseForeignOrigin = (
  { headers: { origin } }: HttpRequest,
  isOurs: (origin: string | undefined) => boolean,
  area: string,
): void => {
  if (!isOurs(origin)) {
    answerWith(403, 'foreign_origin', `${area} does not answer other origins`)
  }
}
