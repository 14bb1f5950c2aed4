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
  const tenant = testTenant(created as never, { issuer, controlToken: 'x' } as never)
  return { approver: tenant.approver, sent: () => sent }
}

it('a token of a user is minted again when the owner of the tenant ended meanwhile', async () => {
  const { approver, sent } = tenantAfter(502, 502)

  expect(await approver.token()).toBe('of-the-user')
  expect(sent()).toBe(3)
})

it('a token of a user is not minted for ever, nor after another error', async () => {
  const ended = tenantAfter(502, 502, 502, 502, 502, 502)
  await expect(ended.approver.token()).rejects.toThrow('was refused (502): the owner ended')
  expect(ended.sent()).toBe(5)

  const away = tenantAfter(503)
  await expect(away.approver.page()).rejects.toThrow('was refused (503): the owner ended')
  expect(away.sent()).toBe(1)
})
