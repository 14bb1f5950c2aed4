import { misbehavioursOf } from '../../http/misbehave.ts'
import { basePath } from '../../http/origin/issuer-urls.ts'
import { rootOf } from '../../issuer/lineage.ts'
import type { IssuerRoute, Policy, TimeWindow } from '../../wire/index.ts'
import { parseJson } from '../../wire/json.ts'
import { alterSuccess, membersOf, withMembers } from '../alter-answer.ts'
import { misleadRules, replaceEvents, withRecord } from '../mislead-rules.ts'
import { isStillOpen, treatRequestsAsOwn } from './request-records.ts'

const request: IssuerRoute[] = ['jit.request']
const status: IssuerRoute[] = ['jit.request.status']
const seen: IssuerRoute[] = ['jit.request', 'jit.request.status']

/** Misbehaviours of permission requests and their status. */
export const requestMisbehaviours = misbehavioursOf('issuer', {
  'issuer-approves-everything': {
    says: 'A request that should be pending is approved at once.',
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
    says: 'Every request has risk_level low.',
    breaks: 'LUMO-RISK-LEVEL',
    routes: request,
    act: misleadRules(() => ({
      events: replaceEvents('permission.requested', (event) => [
        { ...event, request: { ...event.request, risk: 'low' } },
      ]),
    })),
  },
  'issuer-ignores-time-zones': {
    says: 'Time windows of the policy are read in UTC, whatever their zone.',
    breaks: 'POLICY-TIME',
    routes: request,
    act: misleadRules(() => ({
      state: (state) => ({ ...state, policy: withoutZones(state.policy) }),
    })),
  },
  'issuer-forgets-justification': {
    says: 'The pending list has no justification.',
    breaks: 'HITL-04',
    routes: request,
    act: misleadRules(() => ({
      events: replaceEvents('permission.requested', (event) => {
        const { justification: _, ...others } = event.request
        return [{ ...event, request: others }]
      }),
    })),
  },
  'issuer-ignores-pending-limit': {
    says: 'An agent may have any number of pending requests.',
    breaks: 'POLICY-SHARE',
    routes: request,
    act: misleadRules(() => ({ state: (state) => ({ ...state, undecidedOf: new Map() }) })),
  },
  'issuer-shares-pending-limit': {
    says: 'Pending requests of other agents count against the limit of an agent.',
    breaks: 'POLICY-SHARE',
    routes: request,
    act: misleadRules((context) => ({
      state: (state) => ({
        ...state,
        undecidedOf: new Map([[rootOf(state, context.agent().id), state.undecided]]),
      }),
    })),
  },
  'issuer-requests-after-completion': {
    says: 'A request in a completed task is approved.',
    breaks: 'LUMO-REQUEST-ACTIVE',
    routes: request,
    act: misleadRules((_context, { routed }) => ({
      state: (state) =>
        withRecord(
          state,
          'tasks',
          String(membersOf({ body: parseJson(routed.request.body) }).task_id),
          (task) => {
            const { ended: _, ...others } = task
            return others
          },
        ),
    })),
  },
  'issuer-denied-turns-approved': {
    says: 'A denied request is approved at the second status call.',
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
    says: 'A request stays pending after expires_at.',
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
    says: "An agent reads the status of another agent's request.",
    breaks: 'LUMO-REQUEST-OWN',
    routes: status,
    act: treatRequestsAsOwn,
  },
  'issuer-omits-status-url': {
    says: 'A pending answer has no status_url.',
    breaks: 'LUMO-STATUS-URL',
    routes: seen,
    act: alterSuccess((answer) => withMembers(answer, { status_url: undefined })),
  },
  'issuer-omits-request-id': {
    says: 'A status answer has no request_id.',
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
    says: 'Fields without a value are null or [] instead of omitted.',
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
})

const swapPrefix = (url: unknown) =>
  typeof url === 'string'
    ? url.replace(/^\/(t|orgs)\//, (_, prefix) => (prefix === 't' ? '/orgs/' : '/t/'))
    : undefined

const withoutZones = (policy: Policy): Policy => ({
  ...policy,
  rules: policy.rules.map(({ when: { time, outside, ...when }, ...rule }) => ({
    ...rule,
    when: { ...when, ...inUtc('time', time), ...inUtc('outside', outside) },
  })),
})

const inUtc = (name: 'time' | 'outside', window: TimeWindow | undefined) => {
  if (window === undefined) return {}
  const { zone: _, ...hours } = window
  return { [name]: hours }
}
