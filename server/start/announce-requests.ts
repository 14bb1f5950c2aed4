import type { Harness } from '../harness/harness.ts'
import type { LogLine } from '../http/log.ts'

/**
 * Prints one message per permission request that waits for a person, with a sign-in link to the approvals
 * page. Checks after each answer to a permission request. A check that fails prints nothing.
 */
export const announceRequests = (
  harness: () => Pick<Harness, 'tenants'> | undefined,
  say: (message: string) => void,
) => {
  const announced = new Set<string>()
  const look = async () => {
    for (const tenant of harness()?.tenants ?? []) {
      if (!tenant.users.some(({ permissions }) => permissions.includes('jit.approve'))) continue
      for (const { request_id: id } of await tenant.approver.pending()) {
        if (announced.has(id)) continue
        announced.add(id)
        say(
          `${tenant.tenant}: the request ${id} waits for a person to decide: ${await tenant.approver.page()}`,
        )
      }
    }
  }
  return ({ method, path, status }: LogLine): void => {
    const isRequest = method === 'POST' && /\/jit\/request$/.test(path)
    if (isRequest && (status === 201 || status === 202)) void look().catch(() => {})
  }
}
