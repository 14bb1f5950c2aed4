import { NoAnswer } from '../../language/target.ts'

/** The server cannot be reached. One line says what is wrong and what to do. */
export class Unreachable extends NoAnswer {
  override readonly name = 'Unreachable'
}

/** Why a request got no answer. */
export const unreachableBy = (error: unknown, url: string, timeout: number): Unreachable => {
  const isLate = error instanceof Error && error.name === 'TimeoutError'
  const { code } = causeOf(error)
  return new Unreachable(
    isLate ? `${new URL(url).host} gave no answer within ${timeout} s` : describe(error, url),
    isLate ? 'timeout' : closed.has(code) ? 'connection_closed' : 'unreachable',
    { cause: error },
  )
}

const closed: ReadonlySet<string> = new Set(['ECONNRESET', 'UND_ERR_SOCKET'])

/** The error as one line. */
const describe = (error: unknown, url: string): string => {
  const { host } = new URL(url)
  const { code, message } = causeOf(error)
  const known = reasons[code]
  if (known !== undefined) return `${host} ${known}`
  if (/CERT|TLS|SSL|SIGNED|SIGNATURE/.test(code)) {
    return `the certificate of ${host} cannot be trusted (${message}); NODE_EXTRA_CA_CERTS names a file with an authority of your own`
  }
  return `${host} could not be reached: ${message}`
}

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'is no host that can be found: is the URL right, and is there a network?',
  EAI_AGAIN: 'cannot be looked up: is there a network?',
  ECONNREFUSED: 'refuses connections: is it running, and is the port right?',
  ECONNRESET: 'closed the connection before it had answered',
  UND_ERR_SOCKET: 'closed the connection before it had answered',
  EHOSTUNREACH: 'cannot be reached from here',
  ENETUNREACH: 'cannot be reached from here',
  ETIMEDOUT: 'does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'does not answer',
  HPE_INVALID_CONSTANT: 'does not speak HTTP',
  EPROTO: 'does not speak TLS: is it http:// and not https://?',
}

const causeOf = (error: unknown): { code: string; message: string } => {
  let deepest: unknown = error
  while (deepest instanceof Error && deepest.cause !== undefined) deepest = deepest.cause
  if (deepest instanceof AggregateError) [deepest] = deepest.errors
  const { code = '', message = String(deepest) } = (deepest ?? {}) as {
    code?: string
    message?: string
  }
  return { code: String(code), message }
}
