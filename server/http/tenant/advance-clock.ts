import { letApproverAnswer } from './scripted-approver.ts'
import type { TenantContext } from './tenant-context.ts'

/** Moves the clock. Stops at each time at which the scripted approver must answer. */
export const advanceClock = (
  context: Pick<TenantContext, 'tenant' | 'polls' | 'agenda'>,
  seconds: number,
): void => {
  const { tenant, agenda } = context
  const { state, clock } = tenant
  const target = clock.now() + seconds
  const after = state.approver?.after ?? 0
  const due = [...state.undecided]
    .flatMap((id) => state.requests.get(id)?.request.requestedAt ?? [])
    .map((requestedAt) => requestedAt + after)
    .filter((at) => after > 0 && at > clock.now() && at <= target)
  for (const moment of due.sort((a, b) => a - b)) {
    clock.set(moment)
    letApproverAnswer(context)
  }
  clock.set(target)
  tenant.happen([{ type: 'clock.moved', by: seconds }])
  agenda.look()
}
