import { hasCapability } from '../../issuer/capability-check.ts'
import { findUser } from '../../issuer/tasks.ts'
import type { CheckPermissions } from '../../wire/index.ts'
import { type Handlers, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { IssuerContext } from './context.ts'

/** Who the bearer is and what they may do (contract §2.3). */
export const permissionHandlers: Handlers<
  | 'me.get'
  | 'authz.check'
  | 'authz.check_bulk'
  | 'authz.check_any'
  | 'authz.check_all'
  | 'authz.permissions',
  IssuerContext
> = {
  'me.get': ({ context: { tenant, seed }, principal }) => {
    const { agent, user, agentHeld, permissions, claims } = principal()
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
    const subject = subjectOf(call, call.body.user_id)
    return ok({ allowed: subject.has(permission), permission, user_id: subject.id, context })
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
  'authz.permissions': (call) => {
    const { id, permissions } = subjectOf(call, call.query.user_id)
    return ok({ permissions, user_id: id })
  },
}

const checkPermissions = (call: IssuerContext & Readonly<{ body: CheckPermissions }>) => {
  const { permissions = [], user_id: userId, context = {} } = call.body
  if (permissions.length === 0 || permissions.some((it) => it === '')) {
    answerWith(400, 'INVALID_PERMISSIONS', 'permissions: expected names of permissions')
  }
  const subject = subjectOf(call, userId)
  const results = Object.fromEntries(permissions.map((it) => [it, subject.has(it)]))
  return { results, user_id: subject.id, context }
}

type Subject = Readonly<{
  id: string
  permissions: readonly string[]
  has: (permission: string) => boolean
}>

/**
 * Whose permissions are meant: the bearer's own, unless a user is named. An agent that may act for
 * users asks about them, and so does an approver; nobody else learns what others may do.
 */
const subjectOf = (
  { context: { tenant }, principal }: IssuerContext,
  userId: string | undefined,
): Subject => {
  const { agent, user, agentHeld, permissions, claims } = principal()
  const own = agentHeld ? agent?.id : user?.id
  if (userId !== undefined && userId !== own && userId !== user?.email) {
    const mayAsk = agentHeld ? agent?.mayDelegate === true : permissions.includes('jit.approve')
    if (!mayAsk) answerWith(403, 'access_denied', 'user_id: expected your own')
    const other = findUser(tenant.state, userId)
    return other === undefined
      ? answerWith(404, 'not_found', 'there is no such user here')
      : createSubject(other.id, other.permissions)
  }
  if (agentHeld && agent !== undefined) {
    return { ...createSubject(agent.id, agent.capabilities), has: (it) => hasCapability(agent, it) }
  }
  return createSubject(own ?? claims.client_id, permissions)
}

const createSubject = (id: string, permissions: readonly string[]): Subject => ({
  id,
  permissions,
  has: (it) => permissions.includes(it),
})
