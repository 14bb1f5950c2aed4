import { z } from 'zod'
import type { Access } from './access.ts'
import { type Ask, describeAnswer, pathOf } from './ask.ts'
import { Unreachable } from './unreachable.ts'

export type Prefix = 'tenant' | 'org'

const Metadata = z.looseObject({
  issuer: z.string(),
  token_endpoint: z.url(),
  jwks_uri: z.url().optional(),
  introspection_endpoint: z.url().optional(),
  revocation_endpoint: z.url().optional(),
  userinfo_endpoint: z.url().optional(),
  grant_types_supported: z.array(z.string()).optional(),
  authorization_details_types_supported: z.array(z.string()).optional(),
})
type Metadata = z.infer<typeof Metadata>

/** An issuer that answers. */
export type FoundIssuer = Readonly<{
  /** Bases by prefix; without prefixes, one base under both keys. */
  bases: Readonly<Record<Prefix, string>>
  /** The prefixes it answers at. */
  prefixes: readonly Prefix[]
  metadata: Metadata | undefined
  /** The issuer in metadata, by prefix. */
  issuers: readonly string[]
  /** Endpoints that metadata places elsewhere, by their path below the base. */
  moved: ReadonlyMap<string, string>
}>

/**
 * Finds the issuer of a target, by its prefixes or its metadata.
 * @throws {Unreachable} where there is none
 */
export const findIssuer = async ({ file: { issuer } }: Access, ask: Ask): Promise<FoundIssuer> => {
  if (issuer === undefined) throw new Unreachable('the target names no issuer')
  const origin = issuer.url.replace(/\/+$/, '')
  if (issuer.prefix === 'none') return findByDiscovery(origin, ask)
  const tenant = encodeURIComponent(issuer.tenant ?? '')
  const candidates = {
    tenant: `${origin}/t/${tenant}/api/v1`,
    org: `${origin}/orgs/${tenant}/api/v1`,
  }
  const asked = issuer.prefix === 'auto' ? (['tenant', 'org'] as const) : [issuer.prefix]
  const answers = await Promise.all(
    asked.map(async (prefix) => ({ prefix, ...(await metadataOf(candidates[prefix], ask)) })),
  )
  const there = answers.filter((it) => it.status === 200)
  if (there.length === 0) {
    const tried = asked.map((prefix) => candidates[prefix]).join(' nor ')
    const why = [...new Set(answers.map((it) => it.says))].join('; ')
    throw new Unreachable(`no issuer at ${tried}: ${why}`)
  }
  return {
    bases: candidates,
    prefixes: there.map((it) => it.prefix),
    metadata: there.find((it) => it.metadata !== undefined)?.metadata,
    issuers: there.flatMap((it) => it.metadata?.issuer ?? []),
    moved: new Map(),
  }
}

/**
 * A generic OAuth server: metadata names its endpoints (RFC 8414 §3, OpenID Connect Discovery §4).
 */
const findByDiscovery = async (origin: string, ask: Ask): Promise<FoundIssuer> => {
  const { pathname, origin: host } = new URL(origin)
  const path = pathname.replace(/\/+$/, '')
  const candidates = [
    `${host}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration`,
  ]
  const answers = []
  for (const url of candidates) {
    const answer = await documentAt(url, ask)
    answers.push(answer.says)
    if (answer.metadata === undefined) continue
    const { metadata } = answer
    const named: Record<string, string | undefined> = {
      '/oauth/token': metadata.token_endpoint,
      '/oauth/introspect': metadata.introspection_endpoint,
      '/oauth/revoke': metadata.revocation_endpoint,
      '/oauth/userinfo': metadata.userinfo_endpoint,
      '/.well-known/jwks.json': metadata.jwks_uri,
      '/.well-known/oauth-authorization-server': url,
      '/.well-known/openid-configuration': candidates[1],
    }
    const moved = new Map(
      Object.entries(named).filter((it): it is [string, string] => it[1] !== undefined),
    )
    return {
      bases: { tenant: origin, org: origin },
      prefixes: ['tenant'],
      metadata,
      issuers: [metadata.issuer],
      moved,
    }
  }
  throw new Unreachable(`no issuer at ${origin}: ${[...new Set(answers)].join('; ')}`)
}

const metadataOf = (base: string, ask: Ask) =>
  documentAt(`${base}/.well-known/oauth-authorization-server`, ask)

const documentAt = async (url: string, ask: Ask) => {
  const answer = await ask('GET', url, {})
  const parsed = Metadata.safeParse(answer.body)
  return parsed.success
    ? { status: answer.status, metadata: parsed.data, says: '' }
    : {
        status: answer.status,
        metadata: undefined,
        says: `GET ${pathOf(url)} answered ${describeAnswer(answer)}`,
      }
}
