import { tokenExchange } from '../../../server/wire/index.ts'
import { basic } from '../../language/basic-auth.ts'
import { peekJwt } from '../../language/decode.ts'
import { isObject } from '../../language/match.ts'
import type { Access, AgentAccess, ClientSecret } from './access.ts'
import { type Ask, type Asked, createAsk, describeAnswer, pathOf } from './ask.ts'
import { type FoundIssuer, findIssuer } from './find-issuer.ts'
import { Unreachable } from './unreachable.ts'

/** The result of probing a deployment. */
export type Probed = FoundIssuer &
  Readonly<{
    /** Missing abilities, with the reasons. */
    lacks: ReadonlyMap<Ability, string>
    /** Agents that could authenticate, with their tokens. */
    agents: readonly SignedInAgent[]
    /** E-mails of users whose tokens the issuer accepts. */
    people: ReadonlySet<string>
    /** The client that introspects. */
    introspector: ClientSecret | undefined
    /** The aud of the agents' tokens. */
    audience: readonly string[]
    /** Remarks for the user. */
    notes: readonly string[]
  }>

type SignedInAgent = AgentAccess & Readonly<{ token: string }>

/** Abilities that scenarios may need. */
export type Ability =
  | 'metadata'
  | 'jwks'
  | 'basic'
  | 'jit'
  | 'introspection'
  | 'revocation'
  | 'exchange'
  | 'details'
  | 'userinfo'
  | 'approvals'

/** The probed issuer: its fetch and its endpoints. */
type Probe = Readonly<{ ask: Ask; base: string; at: (path: string) => string; issuer: FoundIssuer }>

/** Why an ability is missing, or undefined. */
type Lack = string | undefined

/**
 * Probes an issuer: prefixes, metadata, working agents, and answering parts of the contract.
 * Creates and completes a task.
 * @throws {Unreachable} where nothing can be checked
 */
export const probe = async (
  access: Access,
  send: (request: Request) => Promise<Response>,
): Promise<Probed> => {
  const ask = createAsk(send)
  const issuer = await findIssuer(access, ask)
  const { bases, prefixes, metadata, moved } = issuer
  const base = bases[prefixes[0] ?? 'tenant']
  const found: Probe = { ask, base, issuer, at: (path) => moved.get(path) ?? base + path }

  const jwks = await lackOfKeys(found)
  const agents = await signInAll(found, access)
  const [first] = agents
  if (first === undefined) throw new Unreachable('the target has no agents, so nothing is checked')
  const basicAuth = await lackOfBasic(found, first)
  const jit = await lackOfTasks(found, first)
  const { introspector, lack: introspection } = await findIntrospector(found, first, access)
  const revocation = await lackOfRevocation(found, first)
  const userinfo = await lackOfUserinfo(found, first)
  const { people, notes, lack: approvals } = await findPeople(found, access)

  const lacks: Readonly<Record<Ability, Lack>> = {
    metadata: metadata === undefined ? `${base} has no OAuth metadata` : undefined,
    jwks,
    basic: basicAuth,
    jit,
    introspection,
    revocation,
    exchange: lackOfExchange(issuer),
    details:
      metadata?.authorization_details_types_supported === undefined
        ? 'metadata has no authorization_details_types_supported'
        : undefined,
    userinfo,
    approvals,
  }
  return {
    ...issuer,
    lacks: new Map(
      Object.entries(lacks).filter((entry): entry is [Ability, string] => entry[1] !== undefined),
    ),
    agents,
    people,
    introspector,
    audience: [peekJwt(first.token)?.claims.aud ?? []]
      .flat()
      .filter((aud) => typeof aud === 'string'),
    notes,
  }
}

const lackOfKeys = async ({ ask, at }: Probe): Promise<Lack> => {
  const { status } = await ask('GET', at('/.well-known/jwks.json'), {})
  return status === 200 ? undefined : 'the issuer publishes no keys'
}

const signInAll = async (found: Probe, access: Access): Promise<SignedInAgent[]> => {
  const agents: SignedInAgent[] = []
  for (const agent of access.agents) {
    const token = await signIn(found, agent)
    const claims = peekJwt(token)?.claims
    const scopes = typeof claims?.scope === 'string' ? claims.scope.split(' ') : undefined
    agents.push({
      ...agent,
      token,
      agent_id: String(claims?.agent_id ?? ''),
      capabilities: agent.capabilities ?? (agent.scope === undefined ? scopes : undefined),
    })
  }
  return agents
}

/** Wrong credentials end the run, because no later result would be about the issuer. */
const signIn = async ({ ask, at }: Probe, agent: AgentAccess): Promise<string> => {
  const { client_id, client_secret, scope, resource } = agent
  const endpoint = at('/oauth/token')
  const form = {
    grant_type: 'client_credentials',
    ...(scope && { scope }),
    ...(resource && { resource }),
  }
  const post = await ask('POST', endpoint, { form: { ...form, client_id, client_secret } })
  const headers = { authorization: basic({ client_id, client_secret }) }
  const answer = post.status === 200 ? post : await ask('POST', endpoint, { form, headers })
  const token = isObject(answer.body) ? answer.body.access_token : undefined
  if (answer.status === 200 && typeof token === 'string') return token
  const hint =
    isObject(post.body) && post.body.error === 'invalid_client'
      ? '; do its environment variables belong to this tenant?'
      : ''
  throw new Unreachable(
    `the agent ${agent.name} could not authenticate: ${describeAnswer(post)}${hint}`,
  )
}

/** Why the client cannot authenticate by HTTP Basic (RFC 6749 §2.3.1), where it can in the body. */
const lackOfBasic = async (
  { ask, at }: Probe,
  { scope, resource, ...client }: SignedInAgent,
): Promise<Lack> => {
  const answer = await ask('POST', at('/oauth/token'), {
    headers: { authorization: basic(client) },
    form: {
      grant_type: 'client_credentials',
      ...(scope && { scope }),
      ...(resource && { resource }),
    },
  })
  return answer.status === 401
    ? `client authentication by HTTP Basic answered ${describeAnswer(answer)}`
    : undefined
}

/** Opens a task and completes it. */
const lackOfTasks = async ({ ask, base }: Probe, { token }: SignedInAgent): Promise<Lack> => {
  const headers = bearer(token)
  const opened = await ask('POST', `${base}/jit/task`, { headers, json: {} })
  const task = isObject(opened.body) ? opened.body.task_id : undefined
  if (typeof task !== 'string') {
    return `the issuer creates no tasks: POST ${pathOf(base)}/jit/task answered ${opened.status}`
  }
  await ask('POST', `${base}/jit/task/${encodeURIComponent(task)}/complete`, { headers })
  return undefined
}

/** The first client for which introspection of a valid token is active. */
const findIntrospector = async (
  { ask, at }: Probe,
  { token, client_id, client_secret }: SignedInAgent,
  { apiClient }: Access,
): Promise<{ introspector?: ClientSecret; lack?: string }> => {
  const agent = { client_id, client_secret }
  let answer: Asked | undefined
  for (const introspector of apiClient === undefined ? [agent] : [apiClient, agent]) {
    const headers = { authorization: basic(introspector) }
    answer = await ask('POST', at('/oauth/introspect'), { headers, form: { token } })
    if (isObject(answer.body) && answer.body.active === true) return { introspector }
  }
  return answer === undefined
    ? {}
    : { lack: `introspection of a valid token answered ${describeAnswer(answer)}` }
}

const lackOfRevocation = async (
  { ask, at, issuer: { metadata } }: Probe,
  agent: SignedInAgent,
): Promise<Lack> => {
  const revoked = await ask('POST', at('/oauth/revoke'), {
    headers: { authorization: basic(agent) },
    form: { token: 'a-token-that-never-was' },
  })
  const isMissing = [404, 405, 501].includes(revoked.status)
  return isMissing && metadata?.revocation_endpoint === undefined
    ? `revocation answered ${describeAnswer(revoked)}`
    : undefined
}

const lackOfExchange = ({ metadata }: FoundIssuer): Lack => {
  const grants = metadata?.grant_types_supported
  return grants !== undefined && !grants.includes(tokenExchange)
    ? 'grant_types_supported in metadata has no token exchange'
    : undefined
}

const lackOfUserinfo = async ({ ask, at }: Probe, { token }: SignedInAgent): Promise<Lack> => {
  const userinfo = await ask('GET', at('/oauth/userinfo'), { headers: bearer(token) })
  return userinfo.status === 200
    ? undefined
    : `userinfo answered an agent ${describeAnswer(userinfo)}`
}

/** Users whose tokens the issuer accepts. Approvers must be able to list pending requests. */
const findPeople = async ({ ask, base }: Probe, { users }: Access) => {
  const people = new Set<string>()
  const notes: string[] = []
  const approves = ({ permissions }: Access['users'][number]) => permissions.includes('jit.approve')
  for (const person of users) {
    const { email, token } = person
    const pending = approves(person)
      ? await ask('GET', `${base}/jit/pending`, { headers: bearer(token) })
      : undefined
    if (pending === undefined || pending.status === 200) people.add(email)
    else
      notes.push(`the token of ${email} cannot list pending requests: ${describeAnswer(pending)}`)
  }
  const canApprove = users.some((person) => approves(person) && people.has(person.email))
  return {
    people,
    notes,
    lack: canApprove ? undefined : 'the target has no token of an approver',
  }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
