import { hasCapability } from '../../issuer/capability-check.ts'
import type { Agent, User } from '../../issuer/event.ts'
import type { State } from '../../issuer/state.ts'
import { findUser } from '../../issuer/tasks.ts'
import type { CheckPermissions, Decision, Evaluate } from '../../wire/index.ts'
import { type Handlers, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { IssuerContext } from './context.ts'
import { refuseMissingScope } from './missing-right.ts'

/** Identity and permissions of the bearer, and permission checks (CONTRACT.md#permission-checks). */
export const permissionHandlers: Handlers<
  | 'me.get'
  | 'authz.check'
  | 'authz.check_bulk'
  | 'authz.check_any'
  | 'authz.check_all'
  | 'authz.permissions'
  | 'authz.evaluation'
  | 'authz.evaluations',
  IssuerContext
> = {
  'me.get': ({ context: { tenant, seed }, principal }) => {
    const { agent, user: own, keyOwner, agentHeld, permissions, claims } = principal()
    const user = own ?? keyOwner
    const { slug } = tenant
    const shared = {
      mfa_enabled: false,
      tenant: { id: slug, slug, name: seed.name ?? slug },
    }
    if (!agentHeld && user !== undefined) {
      const { id, email, name, roles = [] } = user
      return ok({
        subject_type: 'user',
        id,
        email,
        name,
        roles,
        capabilities: permissions,
        ...shared,
      })
    }
    return ok({
      subject_type: 'agent',
      id: agent?.id ?? claims.client_id,
      name: agent?.name ?? claims.client_id,
      roles: [],
      capabilities: agent?.capabilities ?? permissions,
      ...shared,
    })
  },

  'authz.check': (call) => {
    const { permission, context = {} } = call.body
    if (!permission) {
      return answerWith(400, 'MISSING_PERMISSION', 'permission: expected the name of a permission')
    }
    const subject = subjectOf(call, call.body)
    const allowed = subject.has(permission)
    return ok({ allowed, permission, ...subject.members, context })
  },
  'authz.check_bulk': (call) => ok(checkPermissions(call)),
  'authz.check_any': (call) => {
    const answer = checkPermissions(call)
    return ok({ ...answer, allowed: Object.values(answer.results).some((it) => it) })
  },
  'authz.check_all': (call) => {
    const answer = checkPermissions(call)
    return ok({ ...answer, allowed: Object.values(answer.results).every((it) => it) })
  },
  'authz.evaluation': (call) => ok(evaluate(call, call.body)),
  'authz.evaluations': (call) => {
    const { evaluations, ...shared } = call.body
    return ok({ evaluations: evaluations.map((it) => evaluate(call, { ...shared, ...it })) })
  },
  'authz.permissions': (call) => {
    const { isKey, permissions: held } = call.principal()
    if (isKey && !held.includes('authz:read')) refuseMissingScope(call, 'authz:read')
    const { members, permissions, source } = subjectOf(call, call.query)
    return ok({
      user_id: members.user_id,
      permissions: permissions.map((slug) => ({ slug, description: slug, source })),
      count: permissions.length,
    })
  },
}

const checkPermissions = (call: IssuerContext & Readonly<{ body: CheckPermissions }>) => {
  const { permissions = [], context = {} } = call.body
  if (permissions.length === 0 || permissions.some((it) => it === '')) {
    answerWith(400, 'INVALID_PERMISSIONS', 'permissions: expected names of permissions')
  }
  const subject = subjectOf(call, call.body)
  const results = Object.fromEntries(permissions.map((it) => [it, subject.has(it)]))
  return { results, permissions, ...subject.members, context }
}

type Subject = Readonly<{
  members: Readonly<{ subject_type: 'user' | 'agent'; subject_id: string; user_id: string }>
  permissions: readonly string[]
  /** The source of the permissions, as the permission list names it. */
  source: string
  has: (permission: string) => boolean
}>

/**
 * The subject of a check: the bearer, unless the body names a subject (`user_id` is the older form). An
 * agent that may act for users may name a subject; so may an approver, and a bearer with the permission
 * `authz.check` or the scope `authz:check`, unless its client registered itself.
 * @throws {HttpError} 403 INSUFFICIENT_PERMISSIONS, 404 SUBJECT_NOT_FOUND
 */
const subjectOf = (
  { context: { tenant }, principal }: IssuerContext,
  asked: Pick<CheckPermissions, 'subject' | 'user_id'>,
): Subject => {
  const { agent, user: own, keyOwner, agentHeld, permissions, claims } = principal()
  const user = own ?? keyOwner
  const named =
    asked.subject ??
    (asked.user_id === undefined ? undefined : { type: 'user' as const, id: asked.user_id })
  const names = agentHeld ? [agent?.id, agent?.clientId] : [user?.id, user?.email]
  // The older form identifies the bearer, also an agent, by its id.
  const isOwn =
    named === undefined ||
    (names.includes(named.id) &&
      (asked.subject === undefined || (named.type === 'agent') === agentHeld))
  if (!isOwn) {
    const mayAsk =
      (agentHeld && agent?.mayDelegate === true) ||
      permissions.some((it) => askingPermissions.includes(it)) ||
      (claims.scope?.split(' ').includes('authz:check') === true &&
        !tenant.state.clients.get(claims.client_id)?.selfRegistered)
    if (!mayAsk) {
      answerWith(
        403,
        'INSUFFICIENT_PERMISSIONS',
        'subject: expected the bearer; other subjects require the permission authz.check',
      )
    }
    return findSubject(tenant.state, named)
  }
  if (agentHeld && agent !== undefined) return agentSubject(agent)
  if (own !== undefined) return userSubject(own)
  // An API key has the permissions it was given, and they are its creator's.
  return createSubject('user', keyOwner?.id ?? claims.client_id, permissions, 'direct')
}

/** The permission may be called by its action, with the type of the resource on either side, or both ways. */
const evaluate = (call: IssuerContext, asked: Evaluate): Decision => {
  const { subject: named, action, resource } = asked
  if (action === undefined) return answerWith(400, 'invalid_request', 'action: expected one')
  const subject = subjectOf(call, { subject: named })
  const names =
    resource === undefined
      ? [action.name]
      : [
          `${resource.type}.${action.name}`,
          `${action.name}:${resource.type}`,
          `${resource.type}:${action.name}`,
          action.name,
        ]
  const decision = names.some((it) => subject.has(it))
  const reason = `expected one of ${names.join(', ')}`
  return decision ? { decision } : { decision, context: { reason_admin: { en: reason } } }
}

const askingPermissions = ['jit.approve', 'authz.check', 'authz:check']

const findSubject = (state: State, { type, id }: NonNullable<CheckPermissions['subject']>) => {
  if (type === 'user') {
    const user = findUser(state, id)
    if (user !== undefined) return userSubject(user)
  } else {
    const agent = findAgent(state, id)
    if (agent !== undefined) return agentSubject(agent)
  }
  return answerWith(404, 'SUBJECT_NOT_FOUND', `subject: unknown ${type}: ${id}`)
}

const findAgent = ({ agents }: State, id: string): Agent | undefined =>
  agents.get(id) ?? [...agents.values()].find((it) => it.clientId === id)

const agentSubject = (agent: Agent): Subject => ({
  ...createSubject('agent', agent.id, agent.capabilities, 'capability'),
  has: (it) => hasCapability(agent, it),
})

const userSubject = ({ id, permissions, roles = [] }: User): Subject =>
  createSubject('user', id, permissions, roles.length === 1 ? `role:${roles[0]}` : 'direct')

const createSubject = (
  type: 'user' | 'agent',
  id: string,
  permissions: readonly string[],
  source: string,
): Subject => ({
  members: { subject_type: type, subject_id: id, user_id: id },
  permissions,
  source,
  has: (it) => permissions.includes(it),
})
