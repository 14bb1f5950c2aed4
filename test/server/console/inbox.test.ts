import { describe, expect, it } from 'vitest'
import type { HarnessOptions } from '../../../server/index.ts'
import { createWorld, eventsOf, users } from './world.ts'

type Policy = NonNullable<NonNullable<HarnessOptions['tenants']>[number]['policy']>

const fourEyes: Policy = {
  rules: [{ name: 'two people decide', risk: 'critical', decision: 'ask', approvers: 2 }],
}

describe('the inbox', () => {
  it('shows the exact detail, apart from what the agent says, and what the policy said', async () => {
    await using world = await createWorld()
    const detail = { type: 'user_data', actions: ['read'], identifier: 'u_1', columns: ['mail'] }
    const { requestId } = await world.asked(detail, { justification: 'because' })
    const ada = await world.signedInAs('ada@example.com')

    const { body } = await ada.request.get('/console/acme/inbox')

    expect(body.requests).toMatchObject([
      {
        id: requestId,
        status: 'pending',
        risk: 'critical',
        agent: { name: 'report-bot' },
        task: { name: 'Q4 report' },
        detail,
        justification: 'because',
        explanation: { decision: 'ask', inputs: { score: 0 } },
        hindrance: null,
      },
    ])
  })

  it('shows nothing that the policy decided by itself', async () => {
    await using world = await createWorld()
    await world.asked({ type: 'file_access', actions: ['read'], identifier: 'doc_1' })
    const ada = await world.signedInAs('ada@example.com')

    const { body } = await ada.request.get('/console/acme/inbox')

    expect(body.requests).toEqual([])
  })

  it('comes in pages: what waits, the oldest first, before what was decided', async () => {
    await using world = await createWorld()
    const ids: string[] = []
    for (const identifier of ['a', 'b', 'c']) {
      ids.push((await world.asked({ type: 'payment', identifier })).requestId)
    }
    const ada = await world.signedInAs('ada@example.com')
    await ada.request.post(`/console/acme/requests/${ids[0]}/deny`).send({})

    const pages = []
    for (const page of [1, 2]) {
      const { body } = await ada.request.get(`/console/acme/inbox?limit=2&page=${page}`)
      pages.push(body.requests.map(({ id }: { id: string }) => id))
      expect(body.pagination).toEqual({ total: 3, page, limit: 2 })
      expect(body.waiting).toBe(2)
    }

    expect(pages).toEqual([[ids[1], ids[2]], [ids[0]]])
  })

  it('approves for as long as the approver says, and the agent goes on', async () => {
    await using world = await createWorld()
    const agent = await world.asked()
    const ada = await world.signedInAs('ada@example.com')

    const { body } = await ada.request
      .post(`/console/acme/requests/${agent.requestId}/approve`)
      .send({
        ttl: 60,
        notes: 'fine',
      })

    expect(body).toMatchObject({
      status: 'approved',
      decided: { by: { name: 'Ada' }, ttl: 60, text: 'fine' },
    })
    expect(await agent.exchange()).toMatchObject({ expires_in: 60 })
  })

  it('permits fewer actions than requested, and never others', async () => {
    await using world = await createWorld()
    const detail = { type: 'user_data', actions: ['read', 'export'], identifier: 'u_1' }
    const agent = await world.asked(detail)
    const ada = await world.signedInAs('ada@example.com')
    const approve = (actions: string[]) =>
      ada.request.post(`/console/acme/requests/${agent.requestId}/approve`).send({ actions })

    const wider = await approve(['read', 'delete'])
    const none = await approve([])
    const { body } = await approve(['read'])

    expect([wider.status, none.status]).toEqual([400, 400])
    expect(wider.body.error_description).toContain('actions: expected some of read, export')
    expect(body.decided.detail).toEqual({ ...detail, actions: ['read'] })
    expect(body.detail).toEqual(detail)
    expect(await agent.status()).toMatchObject({
      status: 'approved',
      authorization_details: { actions: ['read'] },
    })
    const { access_token: jit } = await agent.exchange()
    const claims = JSON.parse(atob(jit.split('.')[1] ?? ''))
    expect(claims.authorization_details).toEqual([{ ...detail, actions: ['read'] }])
  })

  it('permits what all approvers permit, and no more', async () => {
    await using world = await createWorld({
      tenants: [{ tenant: 'acme', users, policy: fourEyes }],
    })
    const agent = await world.asked({ type: 'x', actions: ['a', 'b', 'c'] })
    const ada = await world.signedInAs('ada@example.com')
    const grace = await world.signedInAs('grace@example.com')
    const approve = `/console/acme/requests/${agent.requestId}/approve`

    const first = await ada.request.post(approve).send({ actions: ['a', 'b'] })
    const disjoint = await grace.request.post(approve).send({ actions: ['c'] })
    const second = await grace.request.post(approve).send({ actions: ['b', 'c'] })

    expect(first.body).toMatchObject({ status: 'pending', narrowed_to: ['a', 'b'] })
    expect(disjoint.body.error).toBe('invalid_authorization_details')
    expect(second.body.decided.detail.actions).toEqual(['b'])
    expect(await agent.status()).toMatchObject({ authorization_details: { actions: ['b'] } })
  })

  it('revokes a permission: its token ends, and its task goes on', async () => {
    await using world = await createWorld()
    const agent = await world.asked()
    const ada = await world.signedInAs('ada@example.com')
    const at = `/console/acme/requests/${agent.requestId}`
    const early = await ada.request.post(`${at}/revoke`)
    await ada.request.post(`${at}/approve`).send({})
    const { access_token: jit } = await agent.exchange()
    const read = () =>
      world.harness.fetch(`${world.harness.api}/t/acme/v1/documents`, {
        headers: { authorization: `Bearer ${jit}` },
      })
    const before = await read()

    const { body } = await ada.request.post(`${at}/revoke`)

    const { body: timeline } = await ada.request.get(`/console/acme/tasks/${agent.taskId}`)
    expect(early.body.error).toBe('request_not_approved')
    expect(body.status).toBe('revoked')
    expect(before.status).not.toBe(401)
    expect((await read()).status).toBe(401)
    expect(await agent.status()).toMatchObject({ status: 'revoked' })
    expect(await agent.exchange()).toMatchObject({ error: 'request_not_approved' })
    expect(timeline.task.status).toBe('active')
    expect(timeline.tokens.at(-1).revoked.reason).toBe('revoked_by_approver')
  })

  it('ends a task: it is suspended by that person, and its tokens are revoked', async () => {
    await using world = await createWorld()
    const agent = await world.asked()
    const ada = await world.signedInAs('ada@example.com')
    await ada.request.post(`/console/acme/requests/${agent.requestId}/approve`).send({})
    await agent.exchange()
    const end = () => ada.request.post(`/console/acme/tasks/${agent.taskId}/end`)

    const first = await end()
    const second = await end()

    const { body } = await ada.request.get(`/console/acme/tasks/${agent.taskId}`)
    expect([first.status, second.status]).toEqual([204, 400])
    expect(second.body.error).toBe('task_not_active')
    expect(body.task).toMatchObject({ status: 'suspended', reason: 'a person ended the task' })
    expect(body.tokens.at(-1).revoked.reason).toBe('task_suspended')
    expect(body.entries.at(-1)).toMatchObject({ type: 'task.suspended', by: 'user:ada' })
  })

  it('denies with a reason that the agent reads', async () => {
    await using world = await createWorld()
    const agent = await world.asked()
    const ada = await world.signedInAs('ada@example.com')

    await ada.request
      .post(`/console/acme/requests/${agent.requestId}/deny`)
      .send({ agent_message: 'not today' })

    expect(await agent.status()).toMatchObject({ status: 'denied', agent_message: 'not today' })
  })

  it('wants two people where the policy does, and tells the first that another is missing', async () => {
    await using world = await createWorld({
      tenants: [{ tenant: 'acme', users, policy: fourEyes }],
    })
    const { requestId } = await world.asked()
    const ada = await world.signedInAs('ada@example.com')
    const grace = await world.signedInAs('grace@example.com')
    const approve = `/console/acme/requests/${requestId}/approve`

    const first = await ada.request.post(approve).send({})
    const again = await ada.request.post(approve).send({})
    const second = await grace.request.post(approve).send({})

    expect(first.body).toMatchObject({
      status: 'pending',
      approvals: [{ name: 'Ada' }],
      approvals_required: 2,
      hindrance: 'the same person cannot approve twice',
    })
    expect(again.body.error).toBe('approval_forbidden')
    expect(second.body).toMatchObject({
      status: 'approved',
      approvals: [{ name: 'Ada' }, { name: 'Grace' }],
    })
  })

  it('tells the second of two people who was first', async () => {
    await using world = await createWorld()
    const { requestId } = await world.asked()
    const [ada, grace] = [
      await world.signedInAs('ada@example.com'),
      await world.signedInAs('grace@example.com'),
    ]

    const both = await Promise.all([
      ada.request.post(`/console/acme/requests/${requestId}/approve`).send({}),
      grace.request.post(`/console/acme/requests/${requestId}/deny`).send({}),
    ])

    expect(both.map(({ status }) => status)).toEqual([200, 400])
    expect(both[1].body).toMatchObject({ error: 'already_decided', decided_by: 'user:ada' })
  })
})

describe('the timeline of a task', () => {
  it('knows which token came from which, what it was used for, and how it ended', async () => {
    await using world = await createWorld()
    const agent = await world.asked()
    const ada = await world.signedInAs('ada@example.com')
    await ada.request.post(`/console/acme/requests/${agent.requestId}/approve`).send({})
    const { access_token: jit } = await agent.exchange()
    const api = `${world.harness.api}/t/acme/v1/documents`
    await world.harness.fetch(api, { headers: { authorization: `Bearer ${jit}` } })
    await agent.complete()

    const { body } = await ada.request.get(`/console/acme/tasks/${agent.taskId}`)

    const [own, token] = body.tokens
    const use = body.exchanges.find(({ seat }: { seat: string }) => seat === 'api')
    expect(own).toMatchObject({ kind: 'agent', detail: null })
    expect(token).toMatchObject({
      kind: 'jit',
      from: own.jti,
      request_id: agent.requestId,
      uses: [use.seq],
      revoked: { reason: 'task_completed' },
    })
    expect(body.exchanges.map(({ route }: { route: string }) => route)).toEqual(
      expect.arrayContaining([
        'oauth.token',
        'jit.task.create',
        'jit.request',
        'jit.request.token',
        'jit.task.complete',
      ]),
    )
  })

  it('shows what tokens say, and never a token, a secret or a digest of one', async () => {
    await using world = await createWorld()
    const agent = await world.asked(undefined, { callback_url: 'https://hook.example/?key=k3y' })
    const ada = await world.signedInAs('ada@example.com')
    await ada.request.post(`/console/acme/requests/${agent.requestId}/approve`).send({})
    const { access_token: jit } = await agent.exchange()

    const views = await Promise.all(
      ['inbox', 'tasks', `tasks/${agent.taskId}`, 'journal', 'exchanges'].map((view) =>
        ada.request.get(`/console/acme/${view}`),
      ),
    )

    const text = JSON.stringify(views.map(({ body }) => body))
    const secret = world.harness.tenants[0]?.agents[0]?.client_secret ?? ''
    const signatures = [agent.token, jit].map((token) => token.split('.')[2])
    for (const hidden of [secret, ...signatures, 'secretHash']) expect(text).not.toContain(hidden)
    expect(text).toContain('"claims":{"iss"')
  })

  it('is 404 for a task nobody knows', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')

    const { status } = await ada.request.get('/console/acme/tasks/task_nobody')

    expect(status).toBe(404)
  })
})

describe('the event stream', () => {
  const open = async (
    world: Awaited<ReturnType<typeof createWorld>>,
    own: Record<string, string>,
    lastEventId?: string,
  ) =>
    eventsOf(
      await world.events({
        ...own,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      }),
    )

  it('tells what happens as it happens', async () => {
    await using world = await createWorld()
    const { own } = await world.signedInAs('ada@example.com')
    const stream = await open(world, own)
    await stream.nextOf('hello')

    const { requestId } = await world.asked()

    let entry = await stream.nextOf('entry')
    while (entry?.data.type !== 'permission.requested') entry = await stream.nextOf('entry')
    expect(entry.data.request.id).toBe(requestId)
    await stream.cancel()
  })

  it('gives a browser that lost it everything it missed, in order and once', async () => {
    await using world = await createWorld()
    const { own } = await world.signedInAs('ada@example.com')
    const first = await open(world, own)
    const { id } = (await first.nextOf('hello')) ?? {}
    await first.cancel()
    const { requestId } = await world.asked()

    const second = await open(world, own, id)

    const hello = await second.nextOf('hello')
    const missed = [
      await second.nextOf('entry'),
      await second.nextOf('entry'),
      await second.nextOf('entry'),
    ]
    expect(hello?.data.resumed).toBe(true)
    expect(missed.map((it) => it?.data.type)).toEqual([
      'token.issued',
      'task.opened',
      'permission.requested',
    ])
    expect(missed.at(-1)?.data.request.id).toBe(requestId)
    await second.cancel()
  })

  it.each(['nonsense', '0123456789ab-1', '-1'])(
    'begins anew for an id it never gave, as %s',
    async (id) => {
      await using world = await createWorld()
      const { own } = await world.signedInAs('ada@example.com')

      const stream = await open(world, own, id)

      expect((await stream.nextOf('hello'))?.data.resumed).toBe(false)
      await stream.cancel()
    },
  )

  it('ends when the tenant is reset, and does not take the old journal for the new one', async () => {
    await using world = await createWorld()
    const { own } = await world.signedInAs('ada@example.com')
    const stream = await open(world, own)
    const { id } = (await stream.nextOf('hello')) ?? {}
    await world.control.post('/_harness/tenants/acme/reset')

    const ended = await stream.nextOf('entry')
    const again = await open(world, own, id)

    expect(ended).toBeUndefined()
    expect((await again.nextOf('hello'))?.data.resumed).toBe(false)
    await again.cancel()
  })

  it('is refused to the hundred and first, until somebody leaves', async () => {
    await using world = await createWorld()
    const { own } = await world.signedInAs('ada@example.com')
    const streams = await Promise.all(Array.from({ length: 100 }, () => open(world, own)))
    await Promise.all(streams.map((stream) => stream.nextOf('hello')))
    const again = () => world.events(own)

    const refused = await again()

    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ error: 'limit_reached', limit: 100 })
    await streams[0]?.cancel()
    expect((await again()).status).toBe(200)
    await Promise.all(streams.map((stream) => stream.cancel()))
  })

  it('ends when the harness closes', async () => {
    const world = await createWorld()
    const { own } = await world.signedInAs('ada@example.com')
    const stream = await open(world, own)
    await stream.nextOf('pulse')

    await world.harness.close()

    expect(await stream.next()).toBeUndefined()
  })

  it('has a form without a stream: what happened since an event, all at once', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')
    const news = async (id: string) =>
      (await ada.request.get(`/console/acme/news?last_event_id=${id}`)).body
    const first = await news('')
    const { requestId } = await world.asked()

    const second = await news(first.last_event_id)
    const third = await news(second.last_event_id)

    expect(first).toMatchObject({ resumed: false, entries: [], pulse: { misbehaviours: 0 } })
    expect(second.resumed).toBe(true)
    expect(second.entries.map((it: { type: string }) => it.type)).toEqual([
      'token.issued',
      'task.opened',
      'permission.requested',
    ])
    expect(second.entries.at(-1).request.id).toBe(requestId)
    expect(third).toMatchObject({ resumed: true, entries: [] })
  })

  it('shows no digest of a secret', async () => {
    await using world = await createWorld()
    const { own } = await world.signedInAs('ada@example.com')
    const stream = await open(world, own)
    const { id = '' } = (await stream.nextOf('hello')) ?? {}
    await stream.cancel()

    const all = await open(world, own, id.replace(/-\d+$/, '-0'))

    const seeded = await all.nextOf('entry')
    expect(seeded?.data.type).toBe('tenant.seeded')
    expect(JSON.stringify(seeded)).not.toContain('secretHash')
    await all.cancel()
  })
})
