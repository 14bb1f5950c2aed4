import { afterAll, expect, it } from 'vitest'
import { testTenant } from '../../../server/harness/test-tenant.ts'
import type { Core } from '../../../server/http/core.ts'
import { createHarness } from '../../../server/index.ts'

const harness = await createHarness()
afterAll(() => harness.close())

/** A tenant whose issuer answers these statuses first, as when the owner of the tenant ended. */
const tenantAfter = (...statuses: number[]) => {
  let sent = 0
  const issuer: Core = async () => {
    sent += 1
    const status = statuses.shift()
    return status === undefined
      ? { status: 201, body: { access_token: 'of-the-user', url: 'http://127.0.0.1/console' } }
      : { status, body: { error: 'x', error_description: 'the owner ended' } }
  }
  const created = harness.createTenant()
  const pauses: number[] = []
  const pause = async (milliseconds: number) => pauses.push(milliseconds)
  const tenant = testTenant(created as never, { issuer, controlToken: 'x', pause } as never)
  return { approver: tenant.approver, sent: () => sent, pauses }
}

it('a token of a user is minted again after the owner of the tenant ended, or the store was away', async () => {
  const { approver, sent, pauses } = tenantAfter(502, 503)

  expect(await approver.token()).toBe('of-the-user')
  expect(sent()).toBe(3)
  expect(pauses).toEqual([250, 250])
})

it('a token of a user is not minted for ever, nor after another error', async () => {
  const ended = tenantAfter(...Array.from({ length: 11 }, () => 502))
  await expect(ended.approver.token()).rejects.toThrow('was refused (502): the owner ended')
  expect(ended.sent()).toBe(10)

  const other = tenantAfter(401)
  await expect(other.approver.token()).rejects.toThrow('has another control token')
  expect(other.sent()).toBe(1)

  const unauthorized = tenantAfter(201, 401)
  const approving = unauthorized.approver.approve('req_1')
  await expect(approving).rejects.toThrow('was refused (401): the owner ended')

  const refused = tenantAfter(403)
  await expect(refused.approver.page()).rejects.toThrow('was refused (403): the owner ended')
  expect(refused.sent()).toBe(1)
})
