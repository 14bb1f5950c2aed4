import { describe, expect, it } from 'vitest'
import type { Seed } from '../../../support/signed-in.ts'
import { exporting, issuerWorld, reading } from './world.ts'

type Switches = NonNullable<Seed['dialect']>

/** A tenant of this dialect with one pending request. */
const waiting = async (dialect: Switches) => {
  const here = await issuerWorld({ dialect })
  const task = await here.openTask()
  const asked = await here.requestPermission(task, exporting)
  const { request_id: id } = asked.body
  return {
    ...here,
    task,
    asked,
    id,
    look: () => here.request.get(`/jit/request/${id}/status`),
  }
}

describe('a dialect switch', () => {
  it.each(['201', '202'] as const)(
    'pending_status: a pending request gets %s, one decided at once 201',
    async (status) => {
      const { requestPermission, asked, task } = await waiting({ pending_status: status })

      expect(asked.status).toBe(Number(status))
      expect((await requestPermission(task, reading)).status).toBe(201)
    },
  )

  it.each(['201', '200'] as const)('create_task_status: %s', async (create_task_status) => {
    const { request } = await issuerWorld({ dialect: { create_task_status } })

    expect((await request.post('/jit/task')).status).toBe(Number(create_task_status))
  })

  it.each(['200', '204'] as const)('complete_status: %s', async (complete_status) => {
    const { request, openTask } = await issuerWorld({ dialect: { complete_status } })

    const answer = await request.post(`/jit/task/${await openTask()}/complete`)

    expect(answer.status).toBe(Number(complete_status))
    expect(answer.body?.status).toBe(complete_status === '200' ? 'completed' : undefined)
  })

  it.each([
    ['agent_message', []],
    ['both', ['review_notes', 'deny_reason']],
    ['review_notes', ['review_notes']],
    ['deny_reason', ['deny_reason']],
  ] as const)('denial_text: %s', async (denial_text, members) => {
    const { as, userToken, id, look } = await waiting({ denial_text })
    await as(await userToken())
      .post(`/jit/deny/${id}`)
      .send({ reason: 'no' })

    const { body } = await look()

    expect(body.status).toBe('denied')
    expect(['review_notes', 'deny_reason'].filter((it) => it in body)).toEqual(members)
  })

  it.each([
    ['all', ['requests', 'pending_requests', 'data', 'count', 'pagination']],
    ['spec', ['pending_requests', 'data', 'count', 'pagination']],
    ['sdk', ['requests']],
  ] as const)('pending_list: %s', async (pending_list, members) => {
    const { as, userToken, id } = await waiting({ pending_list })

    const { body } = await as(await userToken()).get('/jit/pending')

    expect(Object.keys(body)).toEqual(members)
    expect((body.requests ?? body.data)[0].request_id).toBe(id)
  })

  it('pending_list: array', async () => {
    const { as, userToken, id } = await waiting({ pending_list: 'array' })

    expect((await as(await userToken()).get('/jit/pending')).body[0].request_id).toBe(id)
  })

  it('pending_for: approvers see all and agents get 403, or agents see their own requests', async () => {
    const [strict, lenient] = [await waiting({}), await waiting({ pending_for: 'agents_own' })]
    const list = (here: typeof strict) => here.request.get('/jit/pending')

    expect((await list(strict)).status).toBe(403)
    expect((await list(lenient)).body.requests).toHaveLength(1)
    const user = await strict.userToken('alice@example.com')
    expect((await strict.as(user).get('/jit/pending')).status).toBe(403)
  })

  it('slow_down: polling within the interval gets 429 and changes nothing', async () => {
    const { look, tenant } = await waiting({ slow_down: 'on' })
    await look()

    const fast = await look()

    expect(fast).toMatchObject({ status: 429, body: { error: 'slow_down', interval: 5 } })
    expect(fast.headers['retry-after']).toBe('5')
    tenant.clock.advance(5)
    expect((await look()).body.status).toBe('pending')
    tenant.clock.advance(300)
    expect((await look()).body.status).toBe('expired')
    expect((await look()).status).toBe(200)
  })

  it('unknown_types: refuse', async () => {
    const { requestPermission, openTask } = await issuerWorld({
      dialect: { unknown_types: 'refuse' },
    })

    const { status, body } = await requestPermission(await openTask(), { type: 'moon' })

    expect(status).toBe(400)
    expect(body.error).toBe('invalid_authorization_details')
  })

  it('duplicate_requests: separate lets each be decided alone', async () => {
    const { request, as, requestPermission, userToken, id, task } = await waiting({
      duplicate_requests: 'separate',
    })
    const second = (await requestPermission(task, exporting)).body.request_id
    await as(await userToken())
      .post(`/jit/approve/${id}`)
      .send({})

    const { body } = await request.get(`/jit/request/${second}/status`)

    expect(body.status).toBe('pending')
  })

  it('approved_by: user_id omits the e-mail', async () => {
    const { request } = await issuerWorld({
      dialect: { approved_by: 'user_id' },
      approver: { decision: 'approve' },
    })
    const { approval_token } = (
      await request
        .post('/agents/me/approvals')
        .send({ task_id: 't', reason: 'r', on_behalf_of: 'alice@example.com' })
    ).body

    const { body } = await request.get(`/agents/me/approvals/${approval_token}/status`)

    expect(body.approved_by).toEqual({ user_id: 'user:alice' })
  })
})

describe('POST /policy/decide', () => {
  it('returns the decision, explanation and would_pass, and creates no request', async () => {
    const { control, happened } = await issuerWorld()

    const { status, body } = await control.post('/policy/decide').send({
      authorization_details: { ...reading, actions: ['read', 'delete'] },
    })

    expect(status).toBe(200)
    expect(body).toMatchObject({
      status: 'pending',
      explanation: { decision: 'ask', risk_level: 'high', would_pass: reading },
    })
    expect(happened('permission.requested')).toEqual([])
  })
})

describe('a JIT token', () => {
  it('is refused at /jit/task, even if its locations name the issuer', async () => {
    const { as, request, requestPermission, openTask, harness } = await issuerWorld()
    const { request_id } = (
      await requestPermission(await openTask(), { ...reading, locations: [harness.issuer] })
    ).body
    const jit = (await request.post(`/jit/request/${request_id}/token`)).body

    const { status } = await as(jit.access_token).post('/jit/task')

    expect([401, 403]).toContain(status)
  })
})
