import type { IncomingMessage } from 'node:http'

/**
 * The `Authorization` field of a request from a socket or from an adapter. Node keeps only the first of
 * several fields; this joins all of them with `, `, which no scheme accepts.
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

/** The token of `Authorization: Bearer`. The name of the scheme is case-insensitive (BRR-01). */
export const bearerToken = ({
  headers,
}: Readonly<{ headers: Readonly<Record<string, string>> }>): string | undefined =>
  /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
