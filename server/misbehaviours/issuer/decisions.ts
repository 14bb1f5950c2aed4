import type { Answer } from '../../http/message.ts'
import { type Act, misbehavioursOf } from '../../http/misbehave.ts'
import { mayApprove } from '../../issuer/requests.ts'
import type { RequestRecord, State } from '../../issuer/state.ts'
import type { IssuerRoute } from '../../wire/index.ts'
import { alterSuccess, membersOf, withMembers } from '../alter-answer.ts'
import { misleadRules, replaceEvents, withRecord } from '../mislead-rules.ts'
import { alterRequestHandling, isStillOpen } from './request-records.ts'

const decision: IssuerRoute[] = ['jit.approve', 'jit.deny']

/** Misbehaviours of decisions and of the pending list. */
export const decisionMisbehaviours = misbehavioursOf('issuer', {
  'issuer-lets-agent-approve': {
    says: 'An agent can approve and deny.',
    breaks: 'THR-06',
    routes: decision,
    act: decideAsApprover(({ agentHeld }) => agentHeld),
  },
  'issuer-lets-any-user-approve': {
    says: 'A user without jit.approve can approve and deny.',
    breaks: 'LUMO-APPROVER',
    routes: decision,
    act: decideAsApprover(({ agentHeld }) => !agentHeld),
  },
  'issuer-approves-by-any-client': {
    says: 'A token decides for its user, regardless of its client, scope or kind.',
    breaks: 'LUMO-APPROVE-CLIENT',
    routes: [...decision, 'jit.pending'],
    act: misleadRules((context) => {
      const asked = context.principal()
      const { user, agentHeld } = asked
      if (user === undefined || agentHeld) return {}
      const { permissions } = user
      const mighty = { permissions, personObstacle: undefined, approvalObstacle: undefined }
      return { principal: () => ({ ...asked, ...mighty }) }
    }),
  },
  'issuer-allows-self-approval': {
    says: 'The user on whose behalf the agent acts can approve its request.',
    breaks: 'LUMO-FOUR-EYES',
    routes: decision,
    act: misleadRules((_context, { routed: { params } }) => ({
      state: (state) => {
        const taskId = state.requests.get(params.requestId ?? '')?.request.taskId
        return withRecord(state, 'tasks', taskId, ({ task, ...record }) => {
          const { onBehalfOf: _, ...others } = task
          return { ...record, task: others }
        })
      },
    })),
  },
  'issuer-counts-approver-twice': {
    says: 'Two approvals by one person satisfy a rule with two approvers.',
    breaks: 'LUMO-FOUR-EYES',
    routes: ['jit.approve'],
    act: alterRequestHandling((record) => ({
      ...record,
      endorsedBy: record.endorsedBy.map((by) => `not ${by}`),
    })),
  },
  'issuer-decides-twice': {
    says: 'A second decision replaces the first.',
    breaks: 'THR-20',
    routes: decision,
    act: alterRequestHandling(({ decided: _, ...record }) => record),
  },
  'issuer-approves-expired': {
    says: 'An expired request can be decided.',
    breaks: 'THR-19',
    routes: decision,
    act: alterRequestHandling(isStillOpen),
  },
  'issuer-forgets-approval': {
    says: 'An approval is confirmed, but the request stays pending.',
    breaks: 'LUMO-DECISION',
    routes: ['jit.approve'],
    act: async (seam) => {
      const answered = await misleadRules(() => ({ events: () => [] }))(seam)
      return answered.status === 200 ? withMembers(answered, { status: 'approved' }) : answered
    },
  },
  'issuer-forgets-deny-reason': {
    says: 'The reason of a denial is lost.',
    breaks: 'LUMO-DENY-REASON',
    routes: ['jit.deny'],
    act: misleadRules(() => ({
      events: replaceEvents('permission.denied', ({ reason: _, message: __, ...event }) => [event]),
    })),
  },
  'issuer-shows-notes-to-agent': {
    says: 'The agent receives the approver’s notes in place of agent_message.',
    breaks: 'LUMO-NOTES',
    routes: ['jit.deny'],
    act: misleadRules(() => ({
      events: replaceEvents('permission.denied', ({ reason, ...event }) => [
        reason === undefined ? event : { ...event, reason, message: reason },
      ]),
    })),
  },
  'issuer-misattributes-decision': {
    says: 'The journal names the policy as decider instead of the approver.',
    breaks: 'LUMO-AUDIT',
    routes: decision,
    act: misleadRules(() => ({
      events: (events) =>
        events.map((event) =>
          'by' in event && event.type !== 'clock.moved' ? { ...event, by: 'policy' } : event,
        ),
    })),
  },
  'issuer-lists-other-tenants': {
    says: 'The pending list has the requests of every tenant.',
    breaks: 'THR-03',
    routes: ['jit.pending'],
    act: alterSuccess((answer, { others }) => {
      const foreign = others().flatMap(({ tenant: { state } }) =>
        [...state.undecided].flatMap((id) => {
          const record = state.requests.get(id)?.request
          return record === undefined ? [] : [foreignItem(record)]
        }),
      )
      return alterPendingList(answer, (items) => [...items, ...foreign])
    }),
  },
  'issuer-lists-for-any-token': {
    says: 'Every token can list pending requests.',
    breaks: 'LUMO-APPROVER',
    routes: ['jit.pending'],
    act: decideAsApprover(() => true),
  },
  'issuer-renames-pending-list': {
    says: 'The pending list has a key that no SDK reads.',
    breaks: 'LUMO-PENDING-KEYS',
    routes: ['jit.pending'],
    act: alterSuccess((answer) => ({ ...answer, body: { items: membersOf(answer).requests } })),
  },
  'issuer-hides-details-from-approver': {
    says: 'The pending list has details other than the requested ones.',
    breaks: 'HITL-04',
    routes: ['jit.pending'],
    act: alterSuccess((answer) =>
      alterPendingList(answer, (items) =>
        items.map((item) => ({ ...item, authorization_details: { type: 'file_access' } })),
      ),
    ),
  },
})

/** Treats selected callers as an approver. */
function decideAsApprover(whom: (asked: { agentHeld: boolean }) => boolean): Act {
  return misleadRules((context) => {
    const asked = context.principal()
    if (!whom(asked)) return {}
    const user = approverOf(context.context.tenant.state)
    const permissions = user?.permissions ?? []
    const approver = { agent: undefined, user, agentHeld: false, permissions }
    return { principal: () => ({ ...asked, ...approver, approvalObstacle: undefined }) }
  })
}

const approverOf = (state: State) =>
  [...state.users.values()].find(({ id }) => mayApprove(state, id))

const foreignItem = ({ id, taskId, agentId, detail, risk }: RequestRecord['request']) => ({
  request_id: id,
  status: 'pending',
  risk_level: risk,
  task_id: taskId,
  agent_id: agentId,
  authorization_details: detail,
})

type Item = Readonly<Record<string, unknown>>

/** The pending list with changed items, under all its keys. */
const alterPendingList = (
  answer: Answer,
  change: (items: readonly Item[]) => readonly Item[],
): Answer => {
  if (Array.isArray(answer.body)) return { ...answer, body: change(answer.body) }
  const members = Object.entries(membersOf(answer)).map(([name, value]) => [
    name,
    Array.isArray(value) ? change(value) : value,
  ])
  return { ...answer, body: Object.fromEntries(members) }
}
