import { ApproverScript, type RouteName } from '../../../server/wire/index.ts'
import { jitRoutes } from '../../../server/wire/routes/jit.ts'
import { findRoute } from '../../../server/wire/routes/router.ts'
import type { Capability } from '../../language/capabilities.ts'
import type { Given } from '../../language/format.ts'
import type { Loaded } from '../../language/load.ts'
import { isObject } from '../../language/match.ts'
import type { Step } from '../../language/step-context.ts'
import { allSteps, type Placed } from '../../language/steps.ts'
import { type SkipReason, SkipScenario } from '../../language/target.ts'
import { references } from '../../language/variables.ts'
import type { Ability } from './probe.ts'
import { findSpelledOutPart, type Roles } from './roles.ts'
import type { Writing } from './target-file.ts'

/** What a deployment offers, and what may be changed there. */
export type Offer = Readonly<{
  lacks: ReadonlyMap<Ability, string>
  prefixes: readonly ('tenant' | 'org')[]
  /** Why our API cannot be used with it, or undefined. */
  apiFails: string | undefined
  /** Whether the target names the URL of the API. */
  apiIsNamed: boolean
  approver: 'token' | 'manual' | 'none'
  writes: ReadonlySet<Writing>
  longestWait: number
  /** A generic OAuth server, checked against standards only. */
  standardsOnly: boolean
  cast: (scenario: Loaded) => readonly Roles[]
}>

/** Why a scenario cannot run against a deployment, or undefined. */
export const skipReasons = (scenario: Loaded, offer: Offer): SkipReason | undefined => {
  if (offer.standardsOnly && !scenario.tags.includes('standard')) {
    return 'it covers LumoAuth’s contract, and the target is another OAuth server'
  }
  if (scenario.takes > offer.longestWait) {
    return needsTime(
      scenario.takes,
      `it needs ${scenario.takes} s of real time; limits: { wait: … } allows ${offer.longestWait}`,
    )
  }
  const { needs } = scenario.source.value as { needs?: readonly Capability[] }
  if (needs?.includes('control')) return 'the target has no control plane'
  if (needs?.includes('virtual_time')) return 'the target has no virtual time'
  if (!offer.apiIsNamed && references(scenario.steps).some(({ name }) => name === 'api')) {
    return 'it needs the URL of the API, which the target does not have (api: { url: … })'
  }
  if (needs?.includes('frozen_clock')) return 'it needs a frozen clock'
  const placed = allSteps(scenario.steps, ['steps'])
  for (const place of placed) {
    const reason = skipReasonOfStep(place, offer)
    if (reason !== undefined) return reason
  }
  return skipReasonOfGiven(scenario, placed, offer)
}

const needsTime = (seconds: number, reason: string): SkipReason => ({
  reason,
  group: 'needs more real time; limits: { wait: … } allows it',
  seconds,
})

const skipReasonOfStep = ({ step, word }: Placed, offer: Offer): SkipReason | undefined => {
  const { lacks, apiFails, prefixes } = offer
  const args: unknown = step[word]
  if (step.prefix !== undefined && !prefixes.includes(step.prefix as 'tenant')) {
    return 'the target has only one of the prefixes'
  }
  if (step.with === 'approver' || (isDecision(word) && step.with === undefined)) {
    const reason = skipReasonOfDecision(offer)
    if (reason !== undefined) return reason
  }
  switch (word) {
    case 'set_policy':
    case 'set_dialect':
    case 'misbehave':
    case 'expect_journal':
    case 'expect_exchanges':
      return {
        reason: `the target has no control plane, which ${word} needs`,
        group: 'the target has no control plane',
      }
    case 'mint_user_token':
      return isObject(args) && Object.keys(args).every((key) => key === 'user')
        ? undefined
        : 'minting a user token needs a control plane'
    case 'forge_token':
      return isObject(args) && args.key !== undefined && args.key !== 'own' && !args.agent
        ? lacks.get('jwks')
        : 'forging a token with the issuer’s key needs a control plane'
    case 'script_approver':
      return skipReasonOfScript(args, offer)
    case 'discover':
      return lacks.get(args === 'jwks' ? 'jwks' : 'metadata')
    case 'introspect':
      return lacks.get('introspection')
    case 'revoke':
      return lacks.get('revocation')
    case 'userinfo':
      return lacks.get('userinfo')
    case 'exchange_token':
      return lacks.get('exchange')
    case 'call':
      return apiFails
    case 'agent_fetch':
      return lacks.get('jit') ?? apiFails
    case 'deny':
      return lacks.get('jit') ?? describeForbiddenWrite('deny', 'denies a request', offer)
    case 'http':
      return skipReasonOfHttp(args as HttpArgs, step, offer)
    default:
      return ofJit.has(word) ? lacks.get('jit') : undefined
  }
}

const ofJit: ReadonlySet<string> = new Set([
  'open_task',
  'request_permission',
  'request_status',
  'wait_for_decision',
  'get_token',
  'complete_task',
  'evaluate_task',
  'list_pending',
  'approve',
])

const isDecision = (word: string) =>
  word === 'approve' || word === 'deny' || word === 'list_pending'

const skipReasonOfDecision = ({ lacks, approver }: Offer) =>
  approver === 'manual'
    ? 'it needs a decision per step, which a person cannot be told (approver: manual)'
    : approver === 'none'
      ? 'the target has no approver (approver: none)'
      : lacks.get('approvals')

/** A scripted approver may be a real person. */
const skipReasonOfScript = (given: unknown, offer: Offer): SkipReason | undefined => {
  const { data: script } = ApproverScript.safeParse(given)
  if (script?.decision === 'ignore') return undefined
  if (script?.decision === 'deny') {
    const reason = describeForbiddenWrite('deny', 'denies a request', offer)
    if (reason !== undefined) return reason
  }
  const takes = (script?.after_polls ?? 0) * usualInterval + (script?.after ?? 0)
  if (takes > offer.longestWait) {
    return needsTime(takes, `the approver answers after ${takes} s of real time`)
  }
  return offer.approver === 'manual' ? undefined : skipReasonOfDecision(offer)
}

const usualInterval = 5

type HttpArgs = Readonly<{ seat?: string; request: string; from?: string; form?: object }>

const skipReasonOfHttp = (
  { seat = 'issuer', request, from, form }: HttpArgs,
  step: Step,
  offer: Offer,
) => {
  if (seat === 'control') return 'the target has no control plane'
  if (seat === 'api' && from === 'origin') return 'our API serves one tenant only at this target'
  if (seat === 'api') return offer.apiFails
  if (step.with === 'client' && offer.lacks.has('basic')) return offer.lacks.get('basic')
  const [method = '', path = ''] = request.split(' ')
  if (form !== undefined && 'authorization_details' in form && offer.lacks.has('details')) {
    return offer.lacks.get('details')
  }
  const full = from === 'origin' ? path : `/t/x/api/v1${path}`
  const route = findRoute('issuer', method, full.split('?')[0] ?? '')
  if (route === 'oauth.authorize' || route === 'oauth.authorize.submit') {
    return 'it needs a sign-in with a browser'
  }
  if (route === 'oauth.introspect') return offer.lacks.get('introspection')
  if (route === 'oauth.revoke') return offer.lacks.get('revocation')
  if (route !== undefined && route in jitRoutes) {
    const reason = offer.lacks.get('jit')
    if (reason !== undefined) return reason
  }
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return undefined
  const writing = route === undefined ? 'other' : writingOf(route)
  return writing === undefined || step.with === 'none'
    ? undefined
    : describeForbiddenWrite(writing, `sends ${method} ${path}`, offer)
}

/** What a call changes at the deployment, beyond the agent's own tasks and tokens. */
const writingOf = (route: RouteName): Writing | undefined => {
  if (route in writings) return writings[route]
  return route in jitRoutes || ownBusiness.has(route) ? undefined : 'other'
}

const writings: Readonly<Partial<Record<RouteName, Writing>>> = {
  'jit.approve': 'deny',
  'jit.deny': 'deny',
  'ssf.stream.create': 'streams',
  'ssf.stream.delete': 'streams',
  'ssf.verify': 'streams',
  'ssf.poll': 'streams',
  'oauth.register': 'register',
  'agents.register': 'register',
  'agents.mcp.authorize': 'register',
  'mcp.challenge.post': 'register',
}

/** Requests that change nothing but what the agent itself holds. */
const ownBusiness: ReadonlySet<RouteName> = new Set<RouteName>([
  'oauth.token',
  'oauth.introspect',
  'oauth.revoke',
  'oauth.userinfo.post',
  'oauth.par',
  'agents.ask',
  'authz.check',
  'authz.check_bulk',
  'authz.check_any',
  'authz.check_all',
])

const describeForbiddenWrite = (
  writing: Writing,
  does: string,
  { writes }: Offer,
): SkipReason | undefined =>
  writes.has(writing)
    ? undefined
    : {
        reason: `it ${does}, which needs --allow-writes (writes: [${writing}])`,
        group: `needs --allow-writes (writes: [${writing}])`,
      }

const skipReasonOfGiven = (
  scenario: Loaded,
  placed: readonly Placed[],
  offer: Offer,
): SkipReason | undefined => {
  for (const { given } of scenario.tenants) {
    const reason =
      given.approver === undefined ? undefined : skipReasonOfScript(given.approver, offer)
    if (reason !== undefined) return reason
  }
  const { needs } = scenario
  const { casts = [], skip } = findRoles(scenario, offer)
  if (skip !== undefined) return skip
  for (const [index, cast] of casts.entries()) {
    const here = placed.filter(({ step }) => tenantOf(step, scenario) === index)
    const steps = here.map(({ step }) => step)
    const unusual = cast.agents.find((it, at) => !isUsual(scenario.tenants[index]?.given, at, it))
    if (unusual !== undefined && needs.includes('usual_scopes')) {
      return `it needs an agent with the scopes ${usualScopes.join(' and ')}`
    }
    if (needs.includes('own_tenant')) return 'it needs its own tenant'
    const name = findSpelledOutPart(steps, cast)
    if (name !== undefined) {
      return {
        reason: `it names ${name}, which has another name at this target`,
        group: 'it names an agent or a user that has another name at this target',
      }
    }
    const absent = here.map(personOf).find((it) => it !== undefined && !hasRole(it, cast))
    if (absent !== undefined) {
      return {
        reason: `the target has no user like ${absent} (users: …)`,
        group: 'the target has no such user (see users in the target)',
      }
    }
  }
  return undefined
}

const usualScopes = ['read:documents', 'write:reports']

/** An agent without `capabilities` has the usual scopes. */
const isUsual = (given: Given | undefined, at: number, agent: Roles['agents'][number]) =>
  given?.agents?.[at]?.capabilities !== undefined ||
  (agent.capabilities?.length === usualScopes.length &&
    usualScopes.every((it) => agent.capabilities?.includes(it)))

const findRoles = (
  scenario: Loaded,
  offer: Offer,
): {
  casts?: readonly Roles[]
  skip?: SkipReason
} => {
  try {
    return { casts: offer.cast(scenario) }
  } catch (error) {
    if (error instanceof SkipScenario) return { skip: error.skip }
    throw error
  }
}

const tenantOf = ({ in: named }: Step, { tenants }: Loaded) =>
  named === undefined ? 0 : tenants.findIndex((it) => it.name === named)

/** The user of a step, by e-mail. */
const personOf = ({ step, word }: Placed): string | undefined => {
  const args = step[word]
  const as = typeof step.as === 'string' && step.as.includes('@') ? step.as : undefined
  const minted = word === 'mint_user_token' && isObject(args) ? args.user : undefined
  return as ?? (typeof minted === 'string' ? minted : undefined)
}

const hasRole = (email: string, { users }: Roles) => users.some((it) => it.email === email)
