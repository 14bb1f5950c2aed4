import type { IncomingMessage } from 'node:http'

/**
 * The `Authorization` of a request as it stands there, whether it came by a socket or an adapter
 * made it up. Node keeps the first of several lines only; the raw fields show them all, and then
 * they are joined by `, `, which no scheme accepts.
 */
export const authorizationOf = ({
  headers,
  rawHeaders = [],
}: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): string | undefined => {
  const lines = rawHeaders.filter(
    (_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'authorization',
  )
  return lines.length > 1 ? lines.join(', ') : headers.authorization
}

/** The token of `Authorization: Bearer`; the scheme is read without regard to case (BRR-01). */
export const bearerToken = ({
  headers,
}: Readonly<{ headers: Readonly<Record<string, string>> }>): string | undefined =>
  /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
