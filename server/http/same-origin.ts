import type { HttpRequest } from './message.ts'
import { answerWith } from './refusals.ts'

/** Whether a `Host` is a name of this harness, and not one that only resolves here (DNS rebinding). */
export const isOurHost = (host: string, origin: string): boolean => {
  const name = host.replace(/:\d+$/, '')
  return host === new URL(origin).host || ['localhost', '127.0.0.1', '[::1]'].includes(name)
}

/** The host of an `Origin`; undefined where there is none, or one that is no URL. */
export const hostOfOrigin = (origin: string | undefined): string | undefined =>
  origin !== undefined && URL.canParse(origin) ? new URL(origin).host : undefined

/**
 * Refuses a request under a name that is not ours.
 * @param area named in the refusal, such as `the control plane`
 * @throws {HttpError} 403 `foreign_host`
 */
export const refuseForeignHost = (
  { headers: { host } }: HttpRequest,
  origin: string,
  area: string,
): void => {
  if (host !== undefined && !isOurHost(host, origin)) {
    answerWith(403, 'foreign_host', `${area} does not answer under this name`)
  }
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
