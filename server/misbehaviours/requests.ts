import { basePath } from '../http/issuer-urls.ts'
import type { Answer } from '../http/message.ts'
import { type Act, misbehavioursOf, type Seam } from '../http/misbehave.ts'
import { mayApprove } from '../issuer/requests.ts'
import type { RequestRecord, State } from '../issuer/state.ts'
import type { AuthorizationDetail, IssuerRoute } from '../wire/index.ts'
import { alterSuccess, membersOf, resignToken, withMembers } from './alter-answer.ts'
import { misleadRules, replaceEvents, withRecord } from './mislead-rules.ts'

const request: IssuerRoute[] = ['jit.request']
const status: IssuerRoute[] = ['jit.request.status']
const seen: IssuerRoute[] = ['jit.request', 'jit.request.status']
const token: IssuerRoute[] = ['jit.request.token']
const decision: IssuerRoute[] = ['jit.approve', 'jit.deny']
const complete: IssuerRoute[] = ['jit.task.complete']

/** What the issuer does wrong with tasks, permission requests and those who decide them. */
export const requestMisbehaviours = misbehavioursOf('issuer', {
  'issuer-widens-actions': {
    says: 'A JIT token holds an action that nobody approved.',
    breaks: 'RAR-20',
    routes: token,
    act: alterGrant((detail) => ({ ...detail, actions: [...(detail.actions ?? []), 'delete'] })),
  },
  'issuer-drops-identifier': {
    says: 'A JIT token is good for every resource: its identifier is gone.',
    breaks: 'RAR-20',
    routes: token,
    act: alterGrant(({ identifier: _, ...detail }) => detail),
  },
  'issuer-swaps-identifier': {
    says: 'A JIT token names another resource than the one that was approved.',
    breaks: 'RAR-20',
    routes: token,
    act: alterGrant((detail) => ({ ...detail, identifier: 'doc_of_somebody_else' })),
  },
  'issuer-adds-detail': {
    says: 'A JIT token holds a second detail beside the approved one.',
    breaks: 'THR-05',
    routes: token,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, (claims) => ({
        ...claims,
        authorization_details: [
          ...(claims.authorization_details as AuthorizationDetail[]),
          { type: 'file_access', actions: ['delete'], identifier: '*' },
        ],
      })),
    ),
  },
  'issuer-narrows-silently': {
    says: 'A JIT token holds no action, while its answer lists all that was approved.',
    breaks: 'RAR-10',
    routes: token,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, (claims) => ({
        ...claims,
        authorization_details: (claims.authorization_details as AuthorizationDetail[]).map(
          ({ actions: _, ...detail }) => detail,
        ),
      })),
    ),
  },
  'issuer-omits-details': {
    says: 'The answer to an exchange does not say what was granted.',
    breaks: 'RAR-10',
    routes: token,
    act: alterSuccess((answer) => withMembers(answer, { authorization_details: undefined })),
  },
  'issuer-token-without-details': {
    says: 'A JIT token does not say what it grants.',
    breaks: 'RAR-13',
    routes: token,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, ({ authorization_details: _, ...claims }) => claims),
    ),
  },

  'issuer-skips-ttl-cap': {
    says: 'A JIT token lives for as long as the agent or the approver likes.',
    breaks: 'LUMO-TTL-MAX',
    routes: ['jit.request', 'jit.approve'],
    act: misleadRules((_context, { routed }) => {
      const { requested_ttl: asked, ttl = asked } = jsonOf(routed.request.body)
      const uncapped = Number.isInteger(ttl) && { ttl: Number(ttl) }
      return {
        events: (events) =>
          events.map((event) => {
            if (event.type === 'permission.approved') return { ...event, ...uncapped }
            if (event.type !== 'permission.requested') return event
            return { ...event, request: { ...event.request, ...uncapped } }
          }),
      }
    }),
  },
  'issuer-outlives-task': {
    says: 'A JIT token lives on when its task is over.',
    breaks: 'THR-24',
    routes: token,
    act: misleadRules(({ context: { tenant } }) => ({
      events: replaceEvents('token.issued', (event) => {
        const decided = tenant.state.requests.get(event.requestId ?? '')?.decided
        const lifetime = decided?.as === 'approved' ? decided.ttl : 0
        const expiresAt = event.token.issuedAt + lifetime
        return [{ ...event, token: { ...event.token, expiresAt } }]
      }),
    })),
  },
  'issuer-misstates-granted-ttl': {
    says: 'granted_ttl is a minute more than the token gets.',
    breaks: 'LUMO-GRANTED-TTL',
    routes: ['jit.request', 'jit.request.status', 'jit.approve'],
    act: alterSuccess((answer) => {
      const { granted_ttl: ttl } = membersOf(answer)
      return ttl === undefined ? answer : withMembers(answer, { granted_ttl: Number(ttl) + 60 })
    }),
  },

  'issuer-exchanges-twice': {
    says: 'One approval becomes a second token with another jti.',
    breaks: 'THR-08',
    routes: token,
    act: misleadRules(() => ({
      state: (state) => ({ ...state, dialect: { ...state.dialect, repeated_exchange: 'yes' } }),
    })),
  },
  'issuer-exchanges-pending': {
    says: 'A request that waits for a human is exchanged for a token.',
    breaks: 'LUMO-TOKEN-APPROVED',
    routes: token,
    act: alterRequestHandling((record, now) =>
      record.decided === undefined ? approveRecord(record, now) : record,
    ),
  },
  'issuer-exchanges-denied': {
    says: 'A denied request is exchanged for a token.',
    breaks: 'LUMO-TOKEN-APPROVED',
    routes: token,
    act: alterRequestHandling((record, now) =>
      record.decided?.as === 'denied' ? approveRecord(record, now) : record,
    ),
  },
  'issuer-exchanges-late': {
    says: 'An approval is exchanged although it has expired.',
    breaks: 'HITL-03',
    routes: token,
    act: alterRequestHandling((record, now) =>
      record.decided?.as === 'approved'
        ? { ...record, decided: { ...record.decided, at: now } }
        : record,
    ),
  },
  'issuer-exchanges-for-others': {
    says: "An agent gets the token of another agent's request.",
    breaks: 'LUMO-REQUEST-OWN',
    routes: token,
    act: treatRequestsAsOwn,
  },
  'issuer-exchanges-after-completion': {
    says: 'An approved request is exchanged although its task is over.',
    breaks: 'THR-21',
    routes: token,
    act: misleadRules((_context, { routed: { params } }) => ({
      state: (state) => {
        const taskId = state.requests.get(params.requestId ?? '')?.request.taskId
        return withRecord(state, 'tasks', taskId, ({ ended: _, ...task }) => task)
      },
    })),
  },

  'issuer-approves-everything': {
    says: 'What should wait for a human is approved at once.',
    breaks: 'LUMO-RISK-HUMAN',
    routes: request,
    act: misleadRules(() => ({
      events: (events) =>
        events.length > 1
          ? events
          : replaceEvents('permission.requested', (event) => {
              const { id: requestId, taskId, ttl } = event.request
              return [event, { type: 'permission.approved', requestId, taskId, by: 'policy', ttl }]
            })(events),
    })),
  },
  'issuer-misjudges-risk': {
    says: 'Every request is of low risk.',
    breaks: 'LUMO-RISK-LEVEL',
    routes: request,
    act: misleadRules(() => ({
      events: replaceEvents('permission.requested', (event) => [
        { ...event, request: { ...event.request, risk: 'low' } },
      ]),
    })),
  },
  'issuer-forgets-justification': {
    says: 'Approvers do not see why the agent asks.',
    breaks: 'HITL-04',
    routes: request,
    act: misleadRules(() => ({
      events: replaceEvents('permission.requested', (event) => {
        const { justification: _, ...others } = event.request
        return [{ ...event, request: others }]
      }),
    })),
  },
  'issuer-requests-after-completion': {
    says: 'A completed task still gets permissions.',
    breaks: 'LUMO-REQUEST-ACTIVE',
    routes: request,
    act: misleadRules((_context, { routed }) => ({
      state: (state) =>
        withRecord(state, 'tasks', String(jsonOf(routed.request.body).task_id), (task) => {
          const { ended: _, ...others } = task
          return others
        }),
    })),
  },
  'issuer-never-suspends': {
    says: 'A task goes on whatever its risk score and its denials.',
    breaks: 'LUMO-SUSPEND',
    routes: ['jit.request', 'jit.deny'],
    act: misleadRules(() => ({
      events: (events) =>
        events.filter(({ type }) => type !== 'task.suspended' && type !== 'token.revoked'),
    })),
  },
  'issuer-acts-for-anybody': {
    says: 'An agent that may not act for users opens a task for one.',
    breaks: 'THR-28',
    routes: ['jit.task.create'],
    act: misleadRules((context) => ({
      state: (state) =>
        withRecord(state, 'agents', context.agent().id, (agent) => ({
          ...agent,
          mayDelegate: true,
        })),
    })),
  },

  'issuer-lets-agent-approve': {
    says: 'An agent decides, as if it were an approver.',
    breaks: 'THR-06',
    routes: decision,
    act: decideAsApprover(({ agentHeld }) => agentHeld),
  },
  'issuer-lets-anybody-approve': {
    says: 'A user without jit.approve decides.',
    breaks: 'LUMO-APPROVER',
    routes: decision,
    act: decideAsApprover(({ agentHeld }) => !agentHeld),
  },
  'issuer-allows-self-approval': {
    says: 'The user whom the agent acts for approves what it asks.',
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
    says: 'One approver is enough where two are required, if they approve twice.',
    breaks: 'LUMO-FOUR-EYES',
    routes: ['jit.approve'],
    act: alterRequestHandling((record) => ({
      ...record,
      endorsedBy: record.endorsedBy.map((by) => `not ${by}`),
    })),
  },
  'issuer-decides-twice': {
    says: 'A decision is overturned by a later one.',
    breaks: 'THR-20',
    routes: decision,
    act: alterRequestHandling(({ decided: _, ...record }) => record),
  },
  'issuer-approves-expired': {
    says: 'A request is decided although the time to decide is over.',
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
      events: replaceEvents('permission.denied', ({ reason: _, ...event }) => [event]),
    })),
  },
  'issuer-misattributes-decision': {
    says: 'The journal says that the policy decided, and not who did.',
    breaks: 'LUMO-AUDIT',
    routes: decision,
    act: misleadRules(() => ({
      events: (events) =>
        events.map((event) =>
          'by' in event && event.type !== 'clock.moved' ? { ...event, by: 'policy' } : event,
        ),
    })),
  },

  'issuer-denied-turns-approved': {
    says: 'A denied request is approved when it is looked at again.',
    breaks: 'HITL-01',
    routes: status,
    begin: () => {
      const looked = new Set<unknown>()
      return alterSuccess((answer, { routed, context }) => {
        const { status: shown, request_id: id } = membersOf(answer)
        if (shown !== 'denied') return answer
        if (!looked.has(id)) {
          looked.add(id)
          return answer
        }
        const url = `${basePath(context.tenant.slug, routed.request.path)}/jit/request/${id}/token`
        return withMembers(answer, { status: 'approved', token_url: url, granted_ttl: 300 })
      })
    },
  },
  'issuer-ignores-request-expiry': {
    says: 'A request is pending for ever, whatever expires_at said.',
    breaks: 'HITL-01',
    routes: ['jit.request.status', 'jit.pending'],
    act: misleadRules(({ context: { tenant } }) => ({
      state: (state) => ({
        ...state,
        requests: new Map(
          [...state.requests].map(([id, record]) => [id, isStillOpen(record, tenant.clock.now())]),
        ),
      }),
    })),
  },
  'issuer-shows-requests-to-others': {
    says: "An agent sees the status of another agent's request.",
    breaks: 'LUMO-REQUEST-OWN',
    routes: status,
    act: treatRequestsAsOwn,
  },
  'issuer-omits-status-url': {
    says: 'A pending answer does not say where to poll.',
    breaks: 'LUMO-STATUS-URL',
    routes: seen,
    act: alterSuccess((answer) => withMembers(answer, { status_url: undefined })),
  },
  'issuer-omits-request-id': {
    says: 'A status does not repeat the id of its request.',
    breaks: 'LUMO-STATUS-ID',
    routes: status,
    act: alterSuccess((answer) => withMembers(answer, { request_id: undefined })),
  },
  'issuer-details-as-array': {
    says: 'authorization_details is an array in the answers to a request.',
    breaks: 'LUMO-DETAILS-OBJECT',
    routes: seen,
    act: alterSuccess((answer) =>
      withMembers(answer, { authorization_details: [membersOf(answer).authorization_details] }),
    ),
  },
  'issuer-sends-null': {
    says: 'What is unknown is null or [], as PHP writes it, and not left out.',
    breaks: 'LUMO-NO-NULL',
    routes: seen,
    act: alterSuccess((answer) =>
      withMembers(answer, {
        ...{ status_url: null, token_url: null, expires_at: null, message: [] },
        ...membersOf(answer),
      }),
    ),
  },
  'issuer-other-prefix': {
    says: 'URLs in answers have the prefix that the caller did not use.',
    breaks: 'LUMO-PREFIX',
    routes: seen,
    act: alterSuccess((answer) => {
      const { status_url: statusUrl, token_url: tokenUrl } = membersOf(answer)
      return withMembers(answer, {
        status_url: swapPrefix(statusUrl),
        token_url: swapPrefix(tokenUrl),
      })
    }),
  },

  'issuer-lists-other-tenants': {
    says: 'The pending list holds the requests of every tenant.',
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
  'issuer-lists-for-anybody': {
    says: 'Whoever has a token may list what is pending.',
    breaks: 'LUMO-APPROVER',
    routes: ['jit.pending'],
    act: decideAsApprover(() => true),
  },
  'issuer-renames-pending-list': {
    says: 'The pending list stands under a name that no SDK reads.',
    breaks: 'LUMO-PENDING-KEYS',
    routes: ['jit.pending'],
    act: alterSuccess((answer) => ({ ...answer, body: { items: membersOf(answer).requests } })),
  },
  'issuer-hides-details-from-approver': {
    says: 'Approvers see what the agent says, and not what it would get.',
    breaks: 'HITL-04',
    routes: ['jit.pending'],
    act: alterSuccess((answer) =>
      alterPendingList(answer, (items) =>
        items.map((item) => ({ ...item, authorization_details: { type: 'file_access' } })),
      ),
    ),
  },

  'issuer-completes-without-revoking': {
    says: 'A completed task leaves its tokens alive.',
    breaks: 'LUMO-COMPLETE-REVOKES',
    routes: complete,
    act: misleadRules(() => ({ events: replaceEvents('token.revoked', () => []) })),
  },
  'issuer-forgets-children': {
    says: 'The tasks below a completed one go on.',
    breaks: 'LUMO-COMPLETE-REVOKES',
    routes: complete,
    act: misleadRules((_context, { routed: { params } }) => ({
      state: (state) =>
        withRecord(state, 'tasks', params.taskId, (record) => ({ ...record, children: [] })),
    })),
  },
  'issuer-completes-for-others': {
    says: "An agent completes another agent's task.",
    breaks: 'LUMO-COMPLETE-OWN',
    routes: complete,
    act: misleadRules((context, { routed: { params } }) => ({
      state: (state) =>
        withRecord(state, 'tasks', params.taskId, (record) => ({
          ...record,
          task: { ...record.task, agentId: context.agent().id },
        })),
    })),
  },
  'issuer-completes-empty': {
    says: 'The answer to a completion is 200 without a body.',
    breaks: 'LUMO-JSON-OBJECT',
    routes: complete,
    act: alterSuccess(({ body: _, ...answer }) => ({ ...answer, status: 200 })),
  },
})

/** Issues for other details than those that were approved. */
function alterGrant(change: (detail: AuthorizationDetail) => AuthorizationDetail): Act {
  return misleadRules(() => ({
    events: replaceEvents('token.issued', (event) => {
      const { detail } = event.token
      return [{ ...event, token: { ...event.token, ...(detail && { detail: change(detail) }) } }]
    }),
  }))
}

/** Takes the request of the call for another than it is. */
function alterRequestHandling(change: (record: RequestRecord, now: number) => RequestRecord): Act {
  return misleadRules(({ context: { tenant } }, { routed: { params } }) => ({
    state: (state) =>
      withRecord(state, 'requests', params.requestId, (record) =>
        change(record, tenant.clock.now()),
      ),
  }))
}

/** Takes the request of the call for one of whoever asks. */
function treatRequestsAsOwn(seam: Seam): Promise<Answer> {
  return misleadRules((context, { routed: { params } }) => ({
    state: (state) =>
      withRecord(state, 'requests', params.requestId, (record) => ({
        ...record,
        request: { ...record.request, agentId: context.agent().id },
      })),
  }))(seam)
}

/** Takes some who ask for an approver. */
function decideAsApprover(whom: (asked: { agentHeld: boolean }) => boolean): Act {
  return misleadRules((context) => {
    const asked = context.principal()
    if (!whom(asked)) return {}
    const user = approverOf(context.context.tenant.state)
    return { principal: () => ({ ...asked, agent: undefined, user, agentHeld: false }) }
  })
}

const approverOf = (state: State) =>
  [...state.users.values()].find(({ id }) => mayApprove(state, id))

const approveRecord = (record: RequestRecord, now: number): RequestRecord => ({
  ...record,
  decided: { as: 'approved', by: 'nobody', at: now, ttl: record.request.ttl },
})

function isStillOpen(record: RequestRecord, now: number): RequestRecord {
  if (record.decided !== undefined || now < record.request.expiresAt) return record
  return { ...record, request: { ...record.request, expiresAt: now + 60 } }
}

const foreignItem = ({ id, taskId, agentId, detail, risk }: RequestRecord['request']) => ({
  request_id: id,
  status: 'pending',
  risk_level: risk,
  task_id: taskId,
  agent_id: agentId,
  authorization_details: detail,
})

type Item = Readonly<Record<string, unknown>>

/** The pending list with other items, under whichever names it stands. */
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

const jsonOf = (body: string): Item => {
  try {
    return membersOf({ body: JSON.parse(body) })
  } catch {
    return {}
  }
}

const swapPrefix = (url: unknown) =>
  typeof url === 'string'
    ? url.replace(/^\/(t|orgs)\//, (_, prefix) => (prefix === 't' ? '/orgs/' : '/t/'))
    : undefined
