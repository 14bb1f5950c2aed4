import { LumoAuthError, NetworkError } from './errors.ts'
import { redact } from './redact.ts'

/**
 * Whether `fetch` failed because of the network. All other errors are programming errors, or control
 * flow of a framework.
 *
 * The Fetch standard throws a `TypeError` for both. After a network failure, Node, Bun and undici add a
 * `cause`, or throw another error with a `code`. Browsers do neither, so there every `TypeError`
 * counts.
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
 * The error to throw for an error of `fetch`: a `NetworkError` if the network failed, else the same
 * error. An error whose text contains a secret is replaced by a redacted copy.
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
