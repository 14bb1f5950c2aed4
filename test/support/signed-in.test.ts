import { describe, expect, it } from 'vitest'
import { reading, signedIn } from './signed-in.ts'

describe('POST /jit/request', () => {
  it('rejects a request once the task has expired', async () => {
    const { as, agentToken, tenant, task } = await signedIn()

    tenant.clock.advance('PT2H')
    // The agent's first token has expired with the task.
    const request = as(await agentToken())

    await request
      .post('/jit/request')
      .send(reading('doc_1', task))
      .expect(400, /task_not_active/)
  })

  it.each([
    ['approver', 403],
    ['none', 401],
  ] as const)('rejects the principal %s', async (principal, status) => {
    const { request } = await signedIn({ principal })

    await request.post('/jit/request').send(reading('doc_1', 'task_1')).expect(status)
  })
})

describe('an expectation of supertest', () => {
  it('counts as an assertion when it is met, not when it is stated', async () => {
    const { request } = await signedIn()
    const asserted = () => expect.getState().assertionCalls
    const before = asserted()

    const answer = request.get('/agents/me').expect(200)
    const stated = asserted() - before
    await answer

    expect([stated, asserted() - before]).toEqual([0, 1])
  })
})
