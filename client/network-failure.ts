import { LumoAuthError, NetworkError } from './errors.ts'
import { redact } from './redact.ts'

/**
 * Whether `fetch` failed on its way to the server. Anything else that it throws is a mistake of the
 * program, or the control flow of a framework.
 *
 * The Fetch standard throws a `TypeError` for both. Node, Bun and undici give it a `cause`, or throw
 * another error with a `code`, when the network failed; browsers do neither, so there each `TypeError` counts.
 */
export const isNetworkFailure = (error: unknown): boolean => {
  if (typeof error !== 'object' || error === null || error instanceof LumoAuthError) return false
  const { name, code } = error as { name?: unknown; code?: unknown }
  const isTypeError = name === 'TypeError'
  if (isTypeError && ('cause' in error || !isNode)) return true
  // Node's own TypeErrors about arguments have codes such as ERR_INVALID_ARG_TYPE.
  if (typeof code === 'string') return !isTypeError || !code.startsWith('ERR_')
  return networkErrors.has(name)
}

/**
 * What to throw for an error that `fetch` threw: a `NetworkError` if the network failed, else the error
 * as it is. An error whose text holds a secret is never thrown as it is.
 */
export const toFetchError = (
  error: unknown,
  message: string,
  secrets: readonly string[] = [],
): unknown =>
  isNetworkFailure(error) || mentions(error, secrets)
    ? new NetworkError(message, { cause: error, secrets })
    : error

const mentions = (error: unknown, secrets: readonly string[]): boolean => {
  const text = error instanceof Error ? `${error.message} ${error.stack}` : ''
  return redact(text, secrets) !== redact(text)
}

/** Names of the `DOMException`s that `fetch` throws. */
const networkErrors: ReadonlySet<unknown> = new Set(['AbortError', 'NetworkError', 'TimeoutError'])

const isNode = globalThis.process?.versions?.node !== undefined
