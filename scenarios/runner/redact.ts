import { decodeUri } from '../../server/wire/decode-uri.ts'
import { parseJson } from '../../server/wire/json.ts'
import { replaceJwts } from '../../server/wire/jwt-shape.ts'
import { isSecretMember } from '../../server/wire/secret-names.ts'
import { peekJwt } from '../language/decode.ts'
import { isObject } from '../language/match.ts'
import type { Exchange } from './exchange.ts'
import type { SeenToken } from './verdict.ts'

/** Holds every secret of a scenario with its replacement name. */
export type Redactor = Readonly<{
  tokens: readonly SeenToken[]
  redact<T>(value: T): T
}>

export type KnownSecret = Readonly<{ kind: string; value: string }>

/**
 * Finds the secrets in exchanges and adds them to the known ones, named in the order of the steps,
 * so that equal runs get equal names.
 */
export const redactorOf = (
  known: readonly KnownSecret[],
  exchanges: readonly Exchange[],
): Redactor => {
  const found = [...known, ...exchanges.flatMap(secretsIn)]
  const names = new Map<string, string>()
  const counts = new Map<string, number>()
  for (const { kind, value } of found) {
    if (value.length < 8 || names.has(value)) continue
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    names.set(value, `‹${kind} ${count}›`)
  }
  const replacements = [...names]
    .flatMap(([value, name]) => formsOf(value).map((form) => ({ form, name })))
    .sort((a, b) => b.form.length - a.form.length)

  const redactText = (text: string): string => {
    let redacted = text
    for (const { form, name } of replacements) redacted = redacted.replaceAll(form, name)
    return redactByShape(redacted)
  }
  const redact = (value: unknown): unknown => {
    if (typeof value === 'string') return redactText(value)
    if (Array.isArray(value)) return value.map(redact)
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, redact(it)]))
  }

  const tokens = [...names].flatMap(([value, name]) => {
    const jwt = peekJwt(value)
    return jwt === undefined
      ? []
      : [{ name, header: redact(jwt.header), claims: redact(jwt.claims) }]
  })
  return { tokens, redact: redact as Redactor['redact'] }
}

/** Everything that looks like a secret: JWTs, Basic credentials, bearer tokens. */
const redactByShape = (text: string): string =>
  replaceJwts(text, '‹jwt›')
    .replaceAll(/\b(Basic) [A-Za-z0-9+/]{8,}={0,2}/gi, '$1 ‹credentials›')
    .replaceAll(/\b(Bearer) (?!error|realm|scope|resource)[\w.~+/-]{20,}=*/gi, '$1 ‹token›')
    .replaceAll(memberOfJson, (member: string, name: string) =>
      isSecretMember(name) ? member.replace(/"[^"‹]+"$/, '"‹secret›"') : member,
    )
    .replaceAll(/\b((?:client_secret|client_assertion)=)[^&‹\s"\\]+/g, '$1‹secret›')

/** A member of JSON whose value is a text that is not redacted yet. */
const memberOfJson = /"([\w-]{1,64})":"[^"‹]+"/g

/** A secret in all its encodings: JSON, headers, forms, Basic credentials. */
const formsOf = (value: string): string[] => [
  ...new Set([
    value,
    encodeURIComponent(value),
    new URLSearchParams({ v: value }).toString().slice(2),
  ]),
]

const secretsIn = ({ route, request, answer }: Exchange): KnownSecret[] => {
  const sent =
    /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ??
    request.headers['x-goog-api-key'] ??
    new URL(request.url).searchParams.get('key') ??
    undefined
  const basic = /^Basic (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  return [
    ...(sent === undefined ? [] : [{ kind: kindOf(sent, null), value: sent }]),
    ...(basic === undefined ? [] : [{ kind: 'client credentials', value: basic }]),
    ...Object.entries(inHeaders).flatMap(([kind, pattern]) =>
      [request.headers, answer.headers].flatMap((headers) =>
        Object.entries(headers).flatMap(([name, text]) => {
          const value = pattern.exec(`${name}: ${text}`)?.[1]
          return value === undefined ? [] : [{ kind, value: decodeUri(value) }]
        }),
      ),
    ),
    ...secretFields(parseJson(answer.body), route),
  ]
}

/** Secrets in header fields other than bearer tokens. */
const inHeaders = {
  'api key': /^(?:x-api-key: |authorization: apikey )(\S+)/i,
  'authorization code': /^location: [^#]*[?&]code=([^&#]+)/i,
  session: /^(?:set-)?cookie: [^=]+=([^;]+)/i,
}

const secretFields = (value: unknown, route: Exchange['route']): KnownSecret[] => {
  if (Array.isArray(value)) return value.flatMap((it) => secretFields(it, route))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, it]) => {
    if (typeof it !== 'string') return secretFields(it, route)
    if (key === 'access_token') return [{ kind: kindOf(it, route), value: it }]
    return isSecretMember(key) ? [{ kind: key.replaceAll('_', ' '), value: it }] : []
  })
}

const kindOf = (token: string, route: Exchange['route']): string => {
  if (route === 'control.user.token') return 'user token'
  if (route === 'control.token.forge') return 'forged token'
  const claims = peekJwt(token)?.claims
  if (claims === undefined) return 'token'
  if (claims.jit === true) return 'jit token'
  if (claims.act !== undefined) return 'delegated token'
  return String(claims.sub).startsWith('user:') ? 'user token' : 'agent token'
}
