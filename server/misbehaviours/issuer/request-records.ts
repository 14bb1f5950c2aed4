import type { Answer } from '../../http/message.ts'
import type { Act, Seam } from '../../http/misbehave.ts'
import type { RequestRecord } from '../../issuer/state.ts'
import { misleadRules, withRecord } from '../mislead-rules.ts'

/** Reads the request of the call as another. */
export function alterRequestHandling(
  change: (record: RequestRecord, now: number) => RequestRecord,
): Act {
  return misleadRules(({ context: { tenant } }, { routed: { params } }) => ({
    state: (state) =>
      withRecord(state, 'requests', params.requestId, (record) =>
        change(record, tenant.clock.now()),
      ),
  }))
}

/** Reads the request of the call as one of the calling agent. */
export function treatRequestsAsOwn(seam: Seam): Promise<Answer> {
  return misleadRules((context, { routed: { params } }) => ({
    state: (state) =>
      withRecord(state, 'requests', params.requestId, (record) => ({
        ...record,
        request: { ...record.request, agentId: context.agent().id },
      })),
  }))(seam)
}

export function isStillOpen(record: RequestRecord, now: number): RequestRecord {
  if (record.decided !== undefined || now < record.request.expiresAt) return record
  return { ...record, request: { ...record.request, expiresAt: now + 60 } }
}
