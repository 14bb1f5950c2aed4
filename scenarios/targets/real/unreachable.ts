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
    return `the certificate of ${host} is not trusted (${message}); set NODE_EXTRA_CA_CERTS to a file with your certificate authority`
  }
  return `${host} could not be reached: ${message}`
}

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'was not found: check the URL and the network',
  EAI_AGAIN: 'cannot be resolved: check the network',
  ECONNREFUSED: 'refuses connections: check that it runs, and the port',
  ECONNRESET: 'closed the connection before it answered',
  UND_ERR_SOCKET: 'closed the connection before it answered',
  EHOSTUNREACH: 'is unreachable',
  ENETUNREACH: 'is unreachable',
  ETIMEDOUT: 'does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'does not answer',
  HPE_INVALID_CONSTANT: 'does not speak HTTP',
  EPROTO: 'does not answer TLS: use http:// instead of https://?',
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
