import { describe, expect, it } from 'vitest'
import { createHarness } from '../../../../server/index.ts'
import { supertest } from '../../../support/supertest.ts'
import { exporting, issuerWorld, reading } from './world.ts'

const envelope = (error: string, status: number) => ({
  error,
  code: error,
  status,
  error_description: expect.any(String),
  message: expect.any(String),
})

describe('a task', () => {
  it.each([
    [{ name: 7 }, /name/],
    [{ name: 'x'.repeat(257) }, /name/],
    [{ task_description: 'only this' }, /required_scopes/],
    [{ required_scopes: ['read:x'] }, /task_description/],
    [{ task_description: 'x', required_scopes: [] }, /required_scopes/],
    [{ task_description: 'x', required_scopes: ['two words'] }, /required_scopes/],
    [{ task_description: 'x', required_scopes: ['x'], duration: 0 }, /duration/],
  ])('gets 400 for %j', async (body, says) => {
    const { request, happened } = await issuerWorld()

    const answer = await request.post('/jit/task').send(body)

    expect(answer).toMatchObject({ status: 400, body: envelope('invalid_request', 400) })
    expect(answer.body.error_description).toMatch(says)
    expect(happened('task.opened')).toEqual([])
  })

  it('gets 403 for users, and 401 without a token', async () => {
    const { anonymous, as, userToken } = await issuerWorld()

    expect((await anonymous.post('/jit/task').send({})).status).toBe(401)
    expect(
      (
        await as(await userToken())
          .post('/jit/task')
          .send({})
      ).status,
    ).toBe(403)
  })

  it('opens without a body, as the Python and JavaScript SDKs send it', async () => {
    const { request } = await issuerWorld()

    const bare = await request.post('/jit/task')
    const typed = await request.post('/jit/task').set({ 'content-type': 'application/json' })

    expect([bare.status, typed.status]).toEqual([201, 201])
  })

  it('names its parent_task_id, and ends with its parent', async () => {
    const { request, openTask } = await issuerWorld()
    const parent = await openTask()
    const child = await request.post('/jit/task').send({ parent_task_id: parent })

    await request.post(`/jit/task/${parent}/complete`)

    expect(child.body.parent_task_id).toBe(parent)
    const late = await request.post('/jit/task').send({ parent_task_id: child.body.task_id })
    expect(late.body).toMatchObject({ error: 'task_not_active', task_status: 'completed' })
  })

  it('puts its parent into the claims of its tokens', async () => {
    const { request, requestPermission, openTask } = await issuerWorld()
    const parent = await openTask()
    const child = await openTask({ parent_task_id: parent })
    const { request_id } = (await requestPermission(child, reading)).body

    const { body } = await request.post(`/jit/request/${request_id}/token`)

    const claims = JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString())
    expect(claims).toMatchObject({ task_id: child, parent_task_id: parent, jit: true })
  })

  it('gets 429 with the limit above the limit', async () => {
    const { request, openTask } = await issuerWorld({
      policy: { limits: { tasks_per_agent: 1 } },
    })
    await openTask()

    const { status, body } = await request.post('/jit/task')

    expect(status).toBe(429)
    expect(body).toMatchObject({ ...envelope('limit_reached', 429), limit: 1 })
  })
})

describe('requested_ttl', () => {
  it.each([0, -1, 1.5, '300', null, true])('is refused when it is %j', async (ttl) => {
    const { requestPermission, openTask } = await issuerWorld()

    const { status } = await requestPermission(await openTask(), reading, { requested_ttl: ttl })

    expect(status).toBe(400)
  })

  it.each([
    [undefined, 600],
    [1, 1],
    [900, 900],
    [901, 900],
    [Number.MAX_SAFE_INTEGER, 900],
  ])('of %j becomes %j', async (requested_ttl, granted_ttl) => {
    const { requestPermission, openTask } = await issuerWorld()

    const { body } = await requestPermission(await openTask(), reading, { requested_ttl })

    expect(body.granted_ttl).toBe(granted_ttl)
  })
})

describe('evaluating a task', () => {
  it('is refused to another agent and to users who are not approvers', async () => {
    const { anonymous, as, agentToken, userToken, openTask } = await issuerWorld({
      agents: [{ name: 'report-bot' }, { name: 'stranger' }],
    })
    const line = `/jit/task/${await openTask()}/evaluate`

    const foreign = await as(await agentToken('stranger')).post(line)
    const person = await as(await userToken('alice@example.com')).post(line)

    expect(foreign).toMatchObject({ status: 403, body: { error: 'task_forbidden' } })
    expect(person).toMatchObject({ status: 403, body: { error: 'approval_forbidden' } })
    expect((await anonymous.post(line)).status).toBe(401)
  })

  it('without a body changes nothing, as in the spec', async () => {
    const { as, userToken, agent, openTask } = await issuerWorld()
    const task = await openTask()

    for (const token of [agent, await userToken()]) {
      const { status, body } = await as(token).post(`/jit/task/${task}/evaluate`)

      expect(status).toBe(200)
      expect(body).toMatchObject({ task_id: task, active: true, events: [], action: 'none' })
    }
  })

  it('with a result completes the task, as in the SDKs', async () => {
    const { request, openTask, happened } = await issuerWorld()
    const task = await openTask()

    const { body } = await request
      .post(`/jit/task/${task}/evaluate`)
      .send({ result: 'failed', notes: 'the API was down' })

    expect(body).toMatchObject({ active: false, action: 'completed' })
    expect(happened('task.evaluated')).toMatchObject([{ notes: 'the API was down' }])
  })

  it('reports a suspension as risk_threshold_exceeded, as in LumoAuth’s example', async () => {
    const { as, request, userToken, requestPermission, openTask } = await issuerWorld()
    const task = await openTask()
    const token = await userToken()
    for (const identifier of ['a', 'b']) {
      const { request_id } = (await requestPermission(task, { ...exporting, identifier })).body
      await as(token).post(`/jit/deny/${request_id}`).send({})
    }
    await requestPermission(task, exporting)

    const { body } = await request.post(`/jit/task/${task}/evaluate`)

    expect(body).toMatchObject({
      active: false,
      action: 'suspended',
      events: [
        {
          type: 'risk_threshold_exceeded',
          details: { risk_score: 65, denial_count: 3 },
          timestamp: '2026-11-24T12:00:00Z',
        },
      ],
    })
  })
})

describe('the older JIT form', () => {
  const older = {
    task_description: 'Summarise Q4',
    required_scopes: ['read:reports', 'write:summaries'],
    duration: 600,
  }

  it('opens a task that waits for a person, on the same path', async () => {
    const { request, harness } = await issuerWorld()

    const { status, body } = await request.post('/jit/task').send(older)

    expect(status).toBe(201)
    expect(body).toEqual({
      task_id: expect.stringMatching(/^task_/),
      status: 'pending',
      approval_url: `${harness.issuer}/approve/${body.task_id}`,
      expires_in: 600,
    })
  })

  it('links the approver from approval_url to the task', async () => {
    const { anonymous, request, harness, tenant } = await issuerWorld()
    const { task_id, approval_url } = (await request.post('/jit/task').send(older)).body

    const page = await anonymous.get(approval_url)

    expect(page.status).toBe(303)
    expect(page.headers.location).toBe(`/console/${tenant.tenant}#/tasks/${task_id}`)
    await anonymous.get(`${harness.issuer}/approve/task_x`).expect(404)
  })

  it('shows what was approved, by whom and when', async () => {
    const { as, request, userToken } = await issuerWorld()
    const task = (await request.post('/jit/task').send(older)).body.task_id
    const token = await userToken()
    const [waiting] = (await as(token).get('/jit/pending')).body.requests
    await as(token).post(`/jit/approve/${waiting.request_id}`).send({})

    const { body } = await request.get(`/jit/status/${task}`)

    expect(waiting.authorization_details).toEqual({
      type: 'scope',
      actions: older.required_scopes,
    })
    expect(body).toEqual({
      task_id: task,
      status: 'approved',
      approved_scopes: older.required_scopes,
      approved_by: 'user:approver',
      approved_at: '2026-11-24T12:00:00Z',
    })
  })

  it('is denied, or expires when it is not decided', async () => {
    const { request, tenant } = await issuerWorld({
      approver: { decision: 'deny', after_polls: 1 },
    })
    const open = async () => (await request.post('/jit/task').send(older)).body.task_id
    const status = async (task: string) => (await request.get(`/jit/status/${task}`)).body.status
    const denied = await open()
    tenant.approver.answers({ decision: 'deny' })
    expect(await status(denied)).toBe('denied')
    tenant.approver.answers({ decision: 'ignore' })
    const expired = await open()
    tenant.clock.advance('PT5M')

    expect(await status(expired)).toBe('expired')
  })

  it('counts status requests for the after_polls of a scripted approver', async () => {
    const { request } = await issuerWorld({ approver: { decision: 'approve', after_polls: 2 } })
    const task = (await request.post('/jit/task').send(older)).body.task_id
    const look = async () => (await request.get(`/jit/status/${task}`)).body.status as string

    expect([await look(), await look(), await look()]).toEqual(['pending', 'pending', 'approved'])
  })

  it('requests one more scope within the task', async () => {
    const { request } = await issuerWorld({ approver: { decision: 'approve' } })
    const task = (await request.post('/jit/task').send(older)).body.task_id
    await request.get(`/jit/status/${task}`)

    const { status, body } = await request
      .post('/jit/request')
      .send({ task_id: task, scope: 'delete:drafts', justification: 'they are in the way' })

    expect(status).toBe(201)
    expect(body).toMatchObject({ status: 'pending', task_id: task })
    const later = await request.get(`/jit/status/${task}`)
    expect(later.body.approved_scopes).toEqual([...older.required_scopes, 'delete:drafts'])
  })

  it.each([
    [{ scope: 'x' }, 'justification'],
    [{ scope: 'x', justification: '  ' }, 'justification'],
    [{ scope: 'x', justification: 'y', authorization_details: reading }, 'scope'],
  ])('gets 400 for %j', async (more, field) => {
    const { request, openTask } = await issuerWorld()

    const { status, body } = await request
      .post('/jit/request')
      .send({ task_id: await openTask(), ...more })

    expect(status).toBe(400)
    expect(body.issues).toEqual([expect.stringContaining(field)])
  })

  it('gets 403 for another agent, and 404 for an unknown task', async () => {
    const { request, as, agentToken } = await issuerWorld({
      agents: [{ name: 'report-bot' }, { name: 'stranger' }],
    })
    const task = (await request.post('/jit/task').send(older)).body.task_id

    const answer = await as(await agentToken('stranger')).get(`/jit/status/${task}`)

    expect(answer.status).toBe(403)
    expect((await request.get('/jit/status/task_x')).status).toBe(404)
  })
})

describe('GET /jit/pending', () => {
  it('lists page by page, the oldest first', async () => {
    const { as, requestPermission, userToken, openTask } = await issuerWorld()
    const task = await openTask()
    const ids = []
    for (const identifier of ['a', 'b', 'c']) {
      ids.push((await requestPermission(task, { ...exporting, identifier })).body.request_id)
    }
    const approver = as(await userToken())
    const list = async (query: string) => (await approver.get(`/jit/pending?${query}`)).body
    const idsIn = (body: { requests: { request_id: string }[] }) =>
      body.requests.map(({ request_id }) => request_id)

    const [first, second, third] = [
      await list('limit=2'),
      await list('limit=2&page=2'),
      await list('limit=2&page=3'),
    ]

    expect([first, second, third].map(idsIn)).toEqual([ids.slice(0, 2), ids.slice(2), []])
    expect(second).toMatchObject({ count: 1, pagination: { total: 3, page: 2, limit: 2 } })
    expect((await list('')).pagination).toEqual({ total: 3, page: 1, limit: 50 })
    expect((await list('limit=101')).error).toBe('invalid_request')
    expect((await list('page=0')).error).toBe('invalid_request')
  })
})

describe('requests for the same detail', () => {
  it('show the approver which other requests the decision includes', async () => {
    const { as, request, requestPermission, userToken, openTask } = await issuerWorld()
    const task = await openTask()
    const ids = []
    for (const justification of ['please', 'pretty please']) {
      ids.push((await requestPermission(task, exporting, { justification })).body.request_id)
    }
    const token = await userToken()

    const { requests } = (await as(token).get('/jit/pending')).body
    await as(token).post(`/jit/approve/${ids[0]}`).send({})

    expect(requests.map((it: { decided_together: string[] }) => it.decided_together)).toEqual([
      [ids[1]],
      [ids[0]],
    ])
    for (const id of ids) {
      expect((await request.post(`/jit/request/${id}/token`)).status).toBe(200)
    }
  })
})

describe('over a socket', () => {
  it('runs the whole flow of LumoAuth’s docs', async () => {
    await using harness = await createHarness({ algorithm: 'ES256' })
    const tenant = harness.createTenant({ approver: { decision: 'approve' } })
    const [agent] = tenant.agents
    const issuer = supertest(harness.issuer)
    const base = new URL(tenant.urls.org).pathname
    const login = await issuer
      .post(`${base}/oauth/token`)
      .type('form')
      .send({
        grant_type: 'client_credentials',
        client_id: agent?.client_id,
        client_secret: agent?.client_secret,
      })
      .expect(200)
    const bearer = { authorization: `Bearer ${login.body.access_token}` }

    const task = await issuer.post(`${base}/jit/task`).set(bearer).send({ name: 'Q4' }).expect(201)
    const asked = await issuer
      .post(`${base}/jit/request`)
      .set(bearer)
      .send({ task_id: task.body.task_id, authorization_details: exporting, requested_ttl: 300 })
      .expect(201)
    const seen = await issuer.get(asked.body.status_url).set(bearer).expect(200)
    const token = await issuer.post(seen.body.token_url).set(bearer).expect(200)
    await issuer.post(seen.body.token_url).set(bearer).expect(403)
    await issuer.post(`${base}/jit/task/${task.body.task_id}/complete`).set(bearer).expect(200)

    expect(asked.body.status).toBe('pending')
    expect(asked.body.status_url).toMatch(/^\/orgs\//)
    expect(token.body).toMatchObject({ expires_in: 300, authorization_details: [exporting] })
  })
})
