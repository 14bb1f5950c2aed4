import { pathOf } from '../../wire/base-url.ts'
import type { Step } from '../core.ts'
import type { HttpRequest } from '../message.ts'
import type { Origins } from '../tenant/tenant-context.ts'
import { isLoopbackName, nameOfHost } from './same-origin.ts'

/** Names under which the harness accepts requests, besides its own. */
export type Naming = Readonly<{
  /** Host names. A leading dot means all subdomains. */
  allowHosts: readonly string[]
  /** Whether `X-Forwarded-Host`, `-Proto`, `-Port` and `-Prefix` are trusted. */
  trustProxy: boolean
  /** Seats with a configured origin: loopback names do not replace it. */
  fixed: Readonly<Partial<Record<'issuer' | 'api', boolean>>>
}>

/** Maximum number of further origins that a seat stores. */
const mostAliases = 32

/**
 * Determines the base URL under which a request arrived, so that URLs in its answer use the same one:
 * another name or port (containers, tunnels), a proxy, a path. Ignores names that are not allowed (DNS
 * rebinding); the answer then has the configured origin.
 */
export const followName =
  (seat: 'issuer' | 'api', origins: Origins, naming: Naming): Step<HttpRequest> =>
  (request, next) => {
    const prefix = pathOf(origins[seat])
    const path = withoutPrefix(request.path, prefix)
    const { base, knownHost } = reachedBy(seat, origins[seat], naming, request)
    const reached = base === undefined || base === origins[seat] ? undefined : base
    const aliases = origins.aliases?.[seat]
    if (reached !== undefined && aliases !== undefined) {
      if (!aliases.has(reached) && aliases.size >= mostAliases) {
        const [oldest] = aliases
        aliases.delete(oldest as string)
      }
      aliases.add(reached)
    }
    return next({
      ...request,
      path,
      knownHost,
      ...(reached === undefined ? {} : { base: reached }),
    })
  }

const reachedBy = (
  seat: 'issuer' | 'api',
  origin: string,
  { allowHosts, trustProxy, fixed }: Naming,
  { headers, mountedAt = '' }: HttpRequest,
): { base: string | undefined; knownHost: boolean } => {
  const own = new URL(origin)
  const direct = headers.host?.toLowerCase()
  const forwarded = trustProxy ? forwardedHost(headers) : undefined
  const isNamed = (host: string) => isAllowed(nameOfHost(host), allowHosts)
  const isKnown = (host: string) => host === own.host || isNamed(host) || isLoopbackName(host)
  const knownHost = [direct, forwarded].every((it) => it === undefined || isKnown(it))

  const prefix = (trustProxy ? forwardedPrefix(headers) : '') + mountedAt
  const path = prefix === '' || own.pathname === prefix ? pathOf(origin) : prefix
  const host = forwarded ?? direct ?? own.host
  const follows =
    isNamed(host) ||
    (isLoopbackName(host) && (forwarded !== undefined || fixed[seat] !== true)) ||
    host === own.host
  if (!follows || !isHost.test(host)) return { base: own.origin + path, knownHost }
  const given = trustProxy ? headers['x-forwarded-proto']?.split(',', 1)[0]?.trim() : undefined
  const usual = host === own.host ? own.protocol.slice(0, -1) : 'http'
  const protocol = given === 'http' || given === 'https' ? given : usual
  return { base: new URL(`${protocol}://${host}`).origin + path, knownHost }
}

/** A host with an optional port, as in a URL. */
const isHost = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/

const forwardedHost = (headers: HttpRequest['headers']): string | undefined => {
  const host = headers['x-forwarded-host']?.split(',', 1)[0]?.trim().toLowerCase()
  const port = headers['x-forwarded-port']?.split(',', 1)[0]?.trim()
  if (host === undefined || host === '') return undefined
  return port === undefined || !/^\d{1,5}$/.test(port) || /:\d+$/.test(host)
    ? host
    : `${host}:${port}`
}

const forwardedPrefix = (headers: HttpRequest['headers']): string => {
  const prefix = headers['x-forwarded-prefix']?.split(',', 1)[0]?.trim().replace(/\/+$/, '') ?? ''
  return /^(?:\/[\w.~-]+)+$/.test(prefix) ? prefix : ''
}

const isAllowed = (name: string, allowed: readonly string[]): boolean =>
  allowed.some((it) => name === it || (it.startsWith('.') && `.${name}`.endsWith(it)))

/** The path below the base, also after the well-known segment of RFC 8414 §3.1 and RFC 9728 §3.1. */
const withoutPrefix = (path: string, prefix: string): string => {
  if (prefix === '') return path
  const [, known = '', rest = ''] = /^(\/+\.well-known\/[^/]+)?(.*)$/s.exec(path) ?? []
  const isBelow = rest === prefix || rest.startsWith(`${prefix}/`)
  return isBelow ? known + rest.slice(prefix.length) || '/' : path
}
