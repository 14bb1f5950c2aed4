import { createHmac } from 'node:crypto'
import { lifeAt } from '../../issuer/requests.ts'
import { deliver } from '../../outbound/deliveries.ts'
import { isoTime } from '../iso-time.ts'
import { letApproverAnswer } from '../tenant/scripted-approver.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import { decisionText } from './request-views.ts'

/**
 * Notifies the `callback_url` of a request of its decision or expiry. The callback contains no token,
 * and the agent confirms it by polling the status (THR-10).
 */
export const startCallbacks = (context: TenantContext): void => {
  const { tenant, agenda, ended } = context
  const unlisten = tenant.journal.listen((entry) => {
    if (entry.type === 'permission.requested') watch(context, entry.request.id)
    if (entry.type === 'permission.approved') deliverNotice(context, entry, 'approved')
    if (entry.type === 'permission.denied') deliverNotice(context, entry, 'denied')
  })
  ended.signal.addEventListener('abort', unlisten, { once: true })
  resumeCallbacks(context)
  agenda.look()
}

/** Seconds for which an undelivered decision is sent again after a restart. */
const resumable = 3600

/** After a restart: delivered and permanently failed callbacks are not sent again. */
const resumeCallbacks = (context: TenantContext) => {
  const { state, journal, clock } = context.tenant
  const told = new Set(
    journal
      .after(0)
      .flatMap((it) =>
        it.type === 'callback.delivered' || (it.type === 'callback.failed' && it.final)
          ? it.requestId
          : [],
      ),
  )
  for (const requestId of state.undecided) if (!told.has(requestId)) watch(context, requestId)
  for (const { request, decided } of state.requests.values()) {
    if (request.callbackUrl === undefined || decided === undefined || told.has(request.id)) continue
    if (decided.at < clock.now() - resumable) continue
    const { id: requestId, taskId } = request
    deliverNotice(context, { requestId, taskId, by: decided.by }, decided.as)
  }
}

/** The agent may not poll, so the expiry is watched here. */
const watch = (context: TenantContext, requestId: string) => {
  const { tenant, agenda } = context
  const { state, clock } = tenant
  const request = state.requests.get(requestId)?.request
  if (request?.callbackUrl === undefined) return
  if (state.approver !== undefined) {
    agenda.at(request.requestedAt + state.approver.after, () => letApproverAnswer(context))
  }
  agenda.at(request.expiresAt, () => {
    const record = state.requests.get(requestId)
    if (
      record &&
      record.decided === undefined &&
      lifeAt(state, record, clock.now()) === 'expired'
    ) {
      deliverNotice(context, { requestId, taskId: request.taskId }, 'expired')
    }
  })
}

type Outcome = 'approved' | 'denied' | 'expired'

/** Sends no callback for an immediate decision of the policy, because the answer already contains it. */
const deliverNotice = (
  context: TenantContext,
  { requestId, taskId, by }: Readonly<{ requestId: string; taskId: string; by?: string }>,
  status: Outcome,
) => {
  const { tenant, agenda, outbound, ended } = context
  const url = tenant.state.requests.get(requestId)?.request.callbackUrl
  if (url === undefined || by === 'policy') return
  const deliveryId = tenant.id('evt')
  const about = { requestId, taskId, deliveryId }
  const body = JSON.stringify(noticeOf(context, requestId, deliveryId, status))
  const headers = signCallback(context, deliveryId, body)
  const isPlanned = deliver(
    agenda,
    tenant.clock.now,
    () => outbound.post(url, headers, body, ended.signal),
    (attempt) => {
      // Interrupted by the end of this process; the next process resumes it.
      if (attempt.reason !== undefined && ended.signal.aborted) return
      tenant.happen([
        attempt.reason === undefined
          ? { type: 'callback.delivered', ...about, ...attempt }
          : { type: 'callback.failed', ...about, ...attempt },
      ])
    },
  )
  if (isPlanned || ended.signal.aborted) return
  const reason = 'too many deliveries are waiting'
  tenant.happen([{ type: 'callback.failed', ...about, attempt: 0, reason, final: true }])
}

/** The generic webhook of the docs (CONTRACT.md#callbacks): id, type, timestamp, data, tenant. */
const noticeOf = (context: TenantContext, requestId: string, id: string, status: Outcome) => {
  const { tenant } = context
  const record = tenant.state.requests.get(requestId)
  const { decided } = record ?? {}
  return {
    id,
    type: `jit.request.${status}`,
    timestamp: isoTime(tenant.clock.now()),
    tenant: tenant.slug,
    data: {
      request_id: requestId,
      task_id: record?.request.taskId,
      status,
      risk_level: record?.request.risk,
      ...(decided?.as === 'approved' ? { granted_ttl: decided.ttl } : {}),
      ...(decided === undefined ? {} : decisionText(context, decided)),
    },
  }
}

/**
 * The two signatures of the docs (CONTRACT.md#callbacks). The body contains the time, so a receiver
 * can detect a replay.
 */
const signCallback = (
  { tenant, webhookSecret }: TenantContext,
  deliveryId: string,
  body: string,
) => {
  const hex = createHmac('sha256', webhookSecret).update(body).digest('hex')
  const { callback_signature: which } = tenant.state.dialect
  return {
    'content-type': 'application/json',
    'user-agent': 'lumoauth-harness',
    'x-lumoauth-delivery': deliveryId,
    'x-lumoauth-timestamp': String(tenant.clock.now()),
    ...(which === 'x-lumoauth-signature' ? {} : { 'x-lumo-signature': hex }),
    ...(which === 'x-lumo-signature' ? {} : { 'x-lumoauth-signature': `sha256=${hex}` }),
  }
}
