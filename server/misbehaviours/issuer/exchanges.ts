import { misbehavioursOf } from '../../http/misbehave.ts'
import type { RequestRecord } from '../../issuer/state.ts'
import type { IssuerRoute } from '../../wire/index.ts'
import { misleadRules, withRecord } from '../mislead-rules.ts'
import { alterRequestHandling, treatRequestsAsOwn } from './request-records.ts'

const token: IssuerRoute[] = ['jit.request.token']

/** Misbehaviours of exchanging approvals. */
export const exchangeMisbehaviours = misbehavioursOf('issuer', {
  'issuer-exchanges-twice': {
    says: 'A second exchange of one approval returns a token with another jti.',
    breaks: 'THR-08',
    routes: token,
    act: misleadRules(() => ({
      state: (state) => ({ ...state, dialect: { ...state.dialect, repeated_exchange: 'yes' } }),
    })),
  },
  'issuer-exchanges-pending': {
    says: 'A pending request is exchanged for a token.',
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
    says: 'An expired approval is exchanged for a token.',
    breaks: 'HITL-03',
    routes: token,
    act: alterRequestHandling((record, now) =>
      record.decided?.as === 'approved'
        ? { ...record, decided: { ...record.decided, at: now } }
        : record,
    ),
  },
  'issuer-exchanges-for-others': {
    says: "An agent exchanges another agent's request.",
    breaks: 'LUMO-REQUEST-OWN',
    routes: token,
    act: treatRequestsAsOwn,
  },
  'issuer-exchanges-after-completion': {
    says: 'An approved request of a completed task is exchanged.',
    breaks: 'THR-21',
    routes: token,
    act: misleadRules((_context, { routed: { params } }) => ({
      state: (state) => {
        const taskId = state.requests.get(params.requestId ?? '')?.request.taskId
        return withRecord(state, 'tasks', taskId, ({ ended: _, ...task }) => task)
      },
    })),
  },
})

const approveRecord = (record: RequestRecord, now: number): RequestRecord => ({
  ...record,
  decided: { as: 'approved', by: 'unknown', at: now, ttl: record.request.ttl },
})
