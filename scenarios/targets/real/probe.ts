import { z } from 'zod'
import { basic } from '../../language/basic-auth.ts'
import { decode } from '../../language/decode.ts'
import { isObject } from '../../language/match.ts'
import type { Access, AgentAccess } from './access.ts'
import { Unreachable } from './unreachable.ts'

export type Prefix = 'tenant' | 'org'

/** What a deployment turned out to be, and to be able to do. */
export type Probed = Readonly<{
  /** Bases by the prefix they stand under; without prefixes, one base under both names. */
  bases: Readonly<Record<Prefix, string>>
  /** The prefixes it answers at. */
  prefixes: readonly Prefix[]
  metadata: Metadata | undefined
  /** What its metadata call it, under each prefix. */
  issuers: readonly string[]
  /** Where paths below the base really are, where the metadata name another place. */
  moved: ReadonlyMap<string, string>
  /** What it cannot do, by what for: words of scenarios, and why. */
  lacks: ReadonlyMap<Ability, string>
  /** Agents that could sign in, with a token each. */
  agents: readonly (AgentAccess & Readonly<{ token: string }>)[]
  /** E-mails of people whose tokens the issuer takes. */
  people: ReadonlySet<string>
  /** Who introspects. */
  introspector: Readonly<{ client_id: string; client_secret: string }> | undefined
  /** The aud of the agents' tokens. */
  audience: readonly string[]
  /** What a person should know about this probe. */
  notes: readonly string[]
}>

/** What scenarios may need of an issuer. */
export const abilities = [
  'metadata',
  'jwks',
  'jit',
  'introspection',
  'revocation',
  'exchange',
  'details',
  'userinfo',
  'approvals',
] as const
export type Ability = (typeof abilities)[number]

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
export type Metadata = z.infer<typeof Metadata>

type Send = (request: Request) => Promise<Response>

/**
 * Finds out what there is: prefixes, metadata, who can sign in, and which parts of the contract answer.
 * A task is opened and completed for it.
 * @throws {Unreachable} where nothing can be checked at all
 */
export const probe = async (access: Access, send: Send): Promise<Probed> => {
  const notes: string[] = []
  const found = await findBases(access, send)
  const { bases, prefixes, metadata, moved } = found
  const base = bases[prefixes[0] ?? 'tenant']
  const at = (path: string) => moved.get(path) ?? base + path
  const lacks = new Map<Ability, string>()
  const asks = createAsk(send)

  if (metadata === undefined) lacks.set('metadata', `${base} has no OAuth metadata`)
  if (!(await isFound(asks, at('/.well-known/jwks.json'))))
    lacks.set('jwks', 'the issuer publishes no keys')

  const agents = []
  for (const agent of access.agents) {
    const token = await signIn(asks, at('/oauth/token'), agent)
    const claims = claimsOf(token)
    const scopes = typeof claims?.scope === 'string' ? claims.scope.split(' ') : undefined
    agents.push({
      ...agent,
      token,
      agent_id: String(claims?.agent_id ?? ''),
      capabilities: agent.capabilities ?? (agent.scope === undefined ? scopes : undefined),
    })
  }
  const [first] = agents
  if (first === undefined) throw new Unreachable('the target names no agent, so nothing is checked')
  const bearer = { authorization: `Bearer ${first.token}` }

  const opened = await asks('POST', `${base}/jit/task`, { headers: bearer, json: {} })
  const task = isObject(opened.body) ? opened.body.task_id : undefined
  if (typeof task === 'string') {
    await asks('POST', `${base}/jit/task/${encodeURIComponent(task)}/complete`, { headers: bearer })
  } else {
    lacks.set(
      'jit',
      `the issuer opens no tasks: POST ${pathOf(base)}/jit/task answered ${opened.status}`,
    )
  }

  const clients = [
    ...(access.apiClient === undefined ? [] : [access.apiClient]),
    { client_id: first.client_id, client_secret: first.client_secret },
  ]
  let introspector: Probed['introspector']
  for (const client of clients) {
    const answer = await asks('POST', at('/oauth/introspect'), {
      headers: { authorization: basic(client) },
      form: { token: first.token },
    })
    if (isObject(answer.body) && answer.body.active === true) {
      introspector = client
      break
    }
    lacks.set('introspection', `introspection of a live token answered ${describeAnswer(answer)}`)
  }
  if (introspector !== undefined) lacks.delete('introspection')

  const revoked = await asks('POST', at('/oauth/revoke'), {
    headers: { authorization: basic(first) },
    form: { token: 'a-token-that-never-was' },
  })
  if (isMissing(revoked.status) && metadata?.revocation_endpoint === undefined)
    lacks.set('revocation', `revocation answered ${describeAnswer(revoked)}`)

  const grants = metadata?.grant_types_supported
  if (grants !== undefined && !grants.includes('urn:ietf:params:oauth:grant-type:token-exchange'))
    lacks.set('exchange', 'the metadata name no token exchange among the grants')

  if (metadata?.authorization_details_types_supported === undefined)
    lacks.set('details', 'the metadata name no types of authorization details')

  const userinfo = await asks('GET', at('/oauth/userinfo'), { headers: bearer })
  if (userinfo.status !== 200)
    lacks.set('userinfo', `userinfo answered an agent ${describeAnswer(userinfo)}`)

  const people = new Set<string>()
  for (const { email, token, permissions } of access.users) {
    if (!permissions.includes('jit.approve')) {
      people.add(email)
      continue
    }
    const pending = await asks('GET', `${base}/jit/pending`, {
      headers: { authorization: `Bearer ${token}` },
    })
    if (pending.status === 200) people.add(email)
    else notes.push(`the token of ${email} lists no pending requests: ${describeAnswer(pending)}`)
  }
  if (!access.users.some((it) => it.permissions.includes('jit.approve') && people.has(it.email)))
    lacks.set('approvals', 'nobody who may approve has given a token')

  const claims = claimsOf(first.token)
  const audience = [claims?.aud ?? []].flat().filter((it) => typeof it === 'string')
  return { ...found, lacks, agents, people, introspector, audience, notes }
}

type Found = Pick<Probed, 'bases' | 'prefixes' | 'metadata' | 'issuers' | 'moved'>

const findBases = async ({ file: { issuer } }: Access, send: Send): Promise<Found> => {
  if (issuer === undefined) throw new Unreachable('the target names no issuer')
  const origin = issuer.url.replace(/\/+$/, '')
  if (issuer.prefix === 'none') return findByDiscovery(origin, send)
  const tenant = encodeURIComponent(issuer.tenant ?? '')
  const candidates = {
    tenant: `${origin}/t/${tenant}/api/v1`,
    org: `${origin}/orgs/${tenant}/api/v1`,
  }
  const asked = issuer.prefix === 'auto' ? (['tenant', 'org'] as const) : [issuer.prefix]
  const answers = await Promise.all(
    asked.map(async (prefix) => ({ prefix, ...(await metadataOf(candidates[prefix], send)) })),
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

/** Any OAuth server: its metadata say where everything is (RFC 8414 §3, OpenID Connect Discovery §4). */
const findByDiscovery = async (origin: string, send: Send): Promise<Found> => {
  const { pathname, origin: host } = new URL(origin)
  const path = pathname.replace(/\/+$/, '')
  const candidates = [
    `${host}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration`,
  ]
  const answers = []
  for (const url of candidates) {
    const answer = await documentAt(url, send)
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

const metadataOf = (base: string, send: Send) =>
  documentAt(`${base}/.well-known/oauth-authorization-server`, send)

const documentAt = async (url: string, send: Send) => {
  const answer = await createAsk(send)('GET', url, {})
  const parsed = Metadata.safeParse(answer.body)
  return parsed.success
    ? { status: answer.status, metadata: parsed.data, says: '' }
    : {
        status: answer.status,
        metadata: undefined,
        says: `GET ${pathOf(url)} answered ${describeAnswer(answer)}`,
      }
}

/** Wrong credentials end the run: nothing else would be about the issuer. */
const signIn = async (asks: Asks, endpoint: string, agent: AgentAccess): Promise<string> => {
  const { client_id, client_secret, scope, resource } = agent
  const form = {
    grant_type: 'client_credentials',
    ...(scope && { scope }),
    ...(resource && { resource }),
  }
  const post = await asks('POST', endpoint, { form: { ...form, client_id, client_secret } })
  const answer =
    post.status === 200
      ? post
      : await asks('POST', endpoint, {
          form,
          headers: { authorization: basic({ client_id, client_secret }) },
        })
  const token = isObject(answer.body) ? answer.body.access_token : undefined
  if (answer.status === 200 && typeof token === 'string') return token
  const hint =
    isObject(post.body) && post.body.error === 'invalid_client'
      ? '; are its environment variables those of this tenant?'
      : ''
  throw new Unreachable(`the agent ${agent.name} could not sign in: ${describeAnswer(post)}${hint}`)
}

type Asked = Readonly<{ status: number; type: string; body: unknown; location: string | null }>
type Asks = (
  method: string,
  url: string,
  how: { headers?: Record<string, string>; form?: Record<string, string>; json?: unknown },
) => Promise<Asked>

const createAsk =
  (send: Send): Asks =>
  async (method, url, { headers = {}, form, json }) => {
    const response = await send(
      new Request(url, {
        method,
        headers: {
          ...headers,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      }),
    )
    const text = await response.text()
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? 'no content type',
      location: response.headers.get('location'),
      body: parseJson(text),
    }
  }

const isFound = async (asks: Asks, url: string) => (await asks('GET', url, {})).status === 200

const isMissing = (status: number) => status === 404 || status === 405 || status === 501

/** An answer in a few words. */
const describeAnswer = ({ status, type, body, location }: Asked): string => {
  if (location !== null && status >= 300 && status < 400) {
    return `${status}, a redirect to ${URL.canParse(location) ? new URL(location).origin : location}, which is not followed`
  }
  if (!isObject(body)) return `${status} with ${type.split(';')[0]} where JSON is due`
  const { error, error_description } = body
  return [status, error, error_description && `(${error_description})`]
    .filter((it) => typeof it === 'string' || typeof it === 'number')
    .join(' ')
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const claimsOf = (token: string): Readonly<Record<string, unknown>> | undefined => {
  const decoded = decode(token)
  return isObject(decoded) && isObject(decoded.claims) ? decoded.claims : undefined
}

const pathOf = (url: string) => new URL(url).pathname
