import { describe, expect, it } from 'vitest'
import { registerAgent } from '../../../server/issuer/oauth/registration.ts'
import {
  approveRequest,
  denyRequest,
  exchangeRequest,
  requestPermission,
} from '../../../server/issuer/requests.ts'
import {
  ada,
  alice,
  bob,
  bot,
  deleting,
  errorOf,
  exporting,
  reading,
  refusalOf,
  start,
  stranger,
  world,
} from './world.ts'

describe('requesting a permission', () => {
  it('is refused in another agent’s, an unknown and an ended task', () => {
    const { open, request, complete, clock } = world()
    const task = open()
    const over = open()
    complete(over.id)

    expect(errorOf(() => request(task.id, reading(), { agentId: stranger.id }))).toBe(
      'task_forbidden',
    )
    expect(errorOf(() => request('task_x', reading()))).toBe('not_found')
    expect(errorOf(() => request(over.id, reading()))).toBe('task_not_active')
    clock.advance(3600)
    expect(refusalOf(() => request(task.id, reading()))).toMatchObject({ status: 'expired' })
  })

  it('changes nothing when it is refused', () => {
    const { open, request, happened } = world()
    const task = open()

    refusalOf(() => request(task.id, reading(), { agentId: stranger.id }))

    expect(happened()).toEqual(['task.opened'])
  })

  it('is refused for an unknown type or action, when the dialect refuses unknown types', () => {
    const { open, request } = world({ dialect: { unknown_types: 'refuse' } })
    const task = open()

    const inherited = ['constructor', 'toString', 'valueOf', '__proto__'].flatMap((type) => [
      { type },
      { type, actions: ['read'] },
    ])
    for (const detail of [
      { type: 'moon' },
      { type: 'file_access', actions: ['read', 'Read'] },
      ...inherited,
    ]) {
      expect(errorOf(() => request(task.id, detail))).toBe('invalid_authorization_details')
    }
    expect(request(task.id, reading()).risk).toBe('low')
    request(task.id, { type: 'file_access' })
    request(task.id, { type: 'scope', actions: ['anything'] })
  })

  it('accepts any type and any action by default', () => {
    const { open, request } = world()

    expect(request(open().id, { type: 'moon', actions: ['land'] }).detail.type).toBe('moon')
  })

  it('of a read is approved at once, with an explanation', () => {
    const { open, request, life, happened } = world()

    const made = request(open().id, reading(), { requestedTtl: 300 })

    expect(life(made.id)).toBe('approved')
    expect(made.explanation).toMatchObject({ rule: 'reads are approved', decision: 'approve' })
    expect(happened()).toEqual(['task.opened', 'permission.requested', 'permission.approved'])
  })

  it('is pending where the policy asks a person, until it expires', () => {
    const { open, request, life, clock } = world({ policy: { approval_timeout: 60 } })

    const { id } = request(open().id, exporting())

    expect(life(id)).toBe('pending')
    clock.advance(59)
    expect(life(id)).toBe('pending')
    clock.advance(1)
    expect(life(id)).toBe('expired')
  })

  it.each([
    ['600 s when it names no lifetime', undefined, 600],
    ['what it asks', 120, 120],
    ['900 s at most', 1_000_000, 900],
  ])('gets %s', (_says, requestedTtl, ttl) => {
    const { open, request } = world()

    expect(request(open().id, reading(), { requestedTtl }).ttl).toBe(ttl)
  })

  it('gets no longer lifetime than the policy and the rule allow', () => {
    const { open, request } = world({
      policy: {
        max_ttl: 500,
        rules: [
          {
            name: 'short',
            when: { actions: 'write' },
            risk: 'low',
            decision: 'approve',
            max_ttl: 60,
          },
          { name: 'rest', risk: 'low', decision: 'approve' },
        ],
      },
    })
    const task = open()

    expect(request(task.id, reading(), { requestedTtl: 900 }).ttl).toBe(500)
    expect(request(task.id, { type: 'file_access', actions: ['write'] }).ttl).toBe(60)
  })
})

describe('deciding a request', () => {
  it('approves a request that names no actions', () => {
    const { open, request, approve, life } = world()
    const { id } = request(open().id, { type: 'user_data', identifier: 'ada' })

    approve(id)

    expect(life(id)).toBe('approved')
  })

  it('is refused to agents, to users without jit.approve, and to the user the agent acts for', () => {
    const { open, request, tenant, approve, life } = world()
    const mine = request(open({ onBehalfOf: ada.email }).id, exporting())

    for (const [userId, obstacle] of [
      [ada.id, 'an agent cannot decide'],
      [bob.id, 'an agent cannot decide'],
      [alice.id, undefined],
      [ada.id, undefined],
      ['', undefined],
    ] as const) {
      for (const rule of [approveRequest, denyRequest]) {
        expect(errorOf(() => tenant.run(rule, { requestId: mine.id, userId, obstacle }))).toBe(
          'approval_forbidden',
        )
      }
    }
    expect(life(mine.id)).toBe('pending')
    approve(mine.id, bob)
    expect(life(mine.id)).toBe('approved')
  })

  it('is refused with already_decided, whatever the first decision was', () => {
    const { open, request, approve, deny } = world()
    const task = open()
    const [approved, denied] = [request(task.id, exporting('a')), request(task.id, exporting('b'))]
    approve(approved.id)
    deny(denied.id)

    for (const { id } of [approved, denied]) {
      expect(errorOf(() => approve(id, bob))).toBe('already_decided')
      expect(errorOf(() => deny(id, bob))).toBe('already_decided')
    }
  })

  it('is refused after it has expired', () => {
    const { open, request, approve, clock, life } = world()
    const { id } = request(open().id, exporting())
    clock.advance(300)

    expect(errorOf(() => approve(id))).toBe('request_expired')
    expect(life(id)).toBe('expired')
  })

  it('is refused with its status and who decided', () => {
    const { open, request, approve, exchange, complete, clock } = world()
    const task = open()
    const [exchanged, unfetched] = ['a', 'b'].map((name) => request(task.id, exporting(name)).id)
    for (const id of [exchanged, unfetched]) approve(id ?? '')
    exchange(exchanged ?? '')
    const over = open()
    const undecided = request(over.id, exporting()).id
    complete(over.id)
    const refused = (id = '') => refusalOf(() => approve(id, bob))

    expect(refused(exchanged)).toMatchObject({ status: 'approved', by: ada.id })
    expect(refused(undecided)).toMatchObject({ status: 'revoked', by: 'no one' })
    clock.advance(600)
    expect(refused(unfetched)).toMatchObject({
      error: 'already_decided',
      status: 'expired',
      by: ada.id,
    })
  })

  it('keeps the notes of an approver, and the reason of a denier', () => {
    const { open, request, tenant } = world()
    const task = open()
    const [yes, no] = ['a', 'b'].map((name) => request(task.id, exporting(name)).id)
    const by = { userId: ada.id }

    const approved = tenant.run(approveRequest, { requestId: yes ?? '', ...by, notes: 'fine' })
    const denied = tenant.run(denyRequest, { requestId: no ?? '', ...by })

    expect(approved).toStrictEqual([
      { type: 'permission.endorsed', requestId: yes, taskId: task.id, by: ada.id },
      {
        type: 'permission.approved',
        requestId: yes,
        taskId: task.id,
        by: ada.id,
        ttl: 600,
        notes: 'fine',
      },
    ])
    expect(tenant.state.requests.get(yes ?? '')?.decided).toMatchObject({ notes: 'fine' })
    expect(denied).toHaveLength(1)
    expect(denied[0]).not.toHaveProperty('reason')
    expect(tenant.state.requests.get(no ?? '')?.decided).not.toHaveProperty('reason')
  })

  it('is refused once the task is completed', () => {
    const { open, request, approve, complete, life } = world()
    const task = open()
    const { id } = request(task.id, exporting())
    complete(task.id)

    expect(errorOf(() => approve(id))).toBe('already_decided')
    expect(life(id)).toBe('revoked')
  })

  it('needs as many different approvers as the rule says', () => {
    const { open, request, approve, life } = world({
      policy: {
        rules: [{ name: 'four eyes', risk: 'critical', decision: 'ask', approvers: 2 }],
      },
    })
    const { id } = request(open().id, reading())
    approve(id, ada)

    expect(life(id)).toBe('pending')
    expect(errorOf(() => approve(id, ada))).toBe('approval_forbidden')
    approve(id, bob)
    expect(life(id)).toBe('approved')
  })

  it('needs one denial, however many approvals there are', () => {
    const { open, request, approve, deny, life } = world({
      policy: { rules: [{ name: 'many', risk: 'critical', decision: 'ask', approvers: 3 }] },
    })
    const { id } = request(open().id, reading())
    approve(id, ada)
    deny(id, bob)

    expect(life(id)).toBe('denied')
  })

  it('gives the lifetime the approver sets, at most what the policy allows', () => {
    const { open, request, approve, exchange } = world()
    const task = open()
    const [short, long] = [request(task.id, exporting('a')), request(task.id, exporting('b'))]
    approve(short.id, ada, 30)
    approve(long.id, ada, 100_000)

    expect(exchange(short.id).expiresAt).toBe(start + 30)
    expect(exchange(long.id).expiresAt).toBe(start + 900)
  })
})

describe('exchanging an approval', () => {
  it('gives a token with the requested audience, and by default without one', () => {
    const { open, request, tenant } = world()
    const task = open()
    const exchanged = (more: object = {}) => {
      const requestId = request(task.id, reading()).id
      return tenant.run(exchangeRequest, { requestId, agentId: bot.id, ...more })[0].token
    }

    expect(exchanged({ audience: ['https://a.test'] }).audience).toEqual(['https://a.test'])
    expect(exchanged()).not.toHaveProperty('audience')
  })

  it('is refused to another agent, and for an unknown, pending, denied or expired request', () => {
    const { open, request, exchange, deny, clock } = world()
    const task = open()
    const approved = request(task.id, reading())
    const [pending, denied] = [request(task.id, exporting('a')), request(task.id, exporting('b'))]
    deny(denied.id)

    expect(errorOf(() => exchange(approved.id, stranger))).toBe('request_forbidden')
    expect(errorOf(() => exchange('jit_x'))).toBe('not_found')
    expect(refusalOf(() => exchange(pending.id))).toMatchObject({
      error: 'request_not_approved',
      status: 'pending',
    })
    expect(refusalOf(() => exchange(denied.id))).toMatchObject({ status: 'denied' })
    clock.advance(700)
    expect(refusalOf(() => exchange(approved.id))).toMatchObject({ status: 'expired' })
  })

  it('is refused once the task has ended', () => {
    const { open, request, exchange, complete } = world()
    const task = open()
    const { id } = request(task.id, reading())
    complete(task.id)

    expect(refusalOf(() => exchange(id))).toEqual({
      error: 'request_not_approved',
      requestId: id,
      status: 'revoked',
      reason: 'the task is completed',
    })
  })

  it.each([
    [60, 300],
    [600, 600],
  ])('of %i s is possible within %i s', (ttl, seconds) => {
    const { open, request, life, clock } = world()
    const { id } = request(open().id, reading(), { requestedTtl: ttl })

    clock.advance(seconds - 1)
    expect(life(id)).toBe('approved')
    clock.advance(1)
    expect(life(id)).toBe('expired')
  })

  it('is refused the second time with already_exchanged', () => {
    const { open, request, exchange, happened } = world()
    const { id } = request(open().id, reading())
    exchange(id)

    expect(errorOf(() => exchange(id))).toBe('already_exchanged')
    expect(happened().filter((it) => it === 'token.issued')).toHaveLength(1)
  })

  it('may be repeated when the dialect allows it, for the time that remains', () => {
    const { open, request, exchange, clock } = world({ dialect: { repeated_exchange: 'yes' } })
    const { id } = request(open().id, reading(), { requestedTtl: 300 })
    const first = exchange(id)
    clock.advance(100)

    const second = exchange(id)

    expect(second.expiresAt).toBe(first.expiresAt)
    expect(second.jti).not.toBe(first.jti)
    clock.advance(200)
    expect(refusalOf(() => exchange(id))).toMatchObject({
      error: 'request_not_approved',
      status: 'expired',
    })
  })

  it('grants exactly what was approved, in this task, at most until its end', () => {
    const { open, request, exchange, clock } = world()
    const task = open({ onBehalfOf: alice.email })
    clock.advance(3590)
    const detail = { ...reading(), custom: { deep: [1, 2] } }

    const token = exchange(request(task.id, detail).id)

    expect(token).toMatchObject({
      detail,
      taskId: task.id,
      agentId: bot.id,
      userId: alice.id,
      sub: `agent:report-bot:task:${task.id}`,
      expiresAt: task.expiresAt,
    })
  })

  it('does not affect another grant for the same detail', () => {
    const { open, request, exchange, tenant } = world()
    const task = open()

    const tokens = [0, 1].map(() => exchange(request(task.id, reading()).id))

    for (const { jti } of tokens) expect(tenant.state.tokens.get(jti)?.revokedAt).toBeUndefined()
  })
})

describe('the risk of a task', () => {
  it('suspends the task at the third denial, and revokes its tokens', () => {
    const { open, request, exchange, deny, status, tenant } = world()
    const task = open()
    const token = exchange(request(task.id, reading()).id)
    for (const name of ['a', 'b', 'c']) deny(request(task.id, deleting(name)).id)

    expect(status(task.id)).toBe('suspended')
    expect(tenant.state.tokens.get(token.jti)?.revokedAt).toBe(start)
    expect(errorOf(() => request(task.id, reading()))).toBe('task_not_active')
  })

  it('denies the request that reaches the limit, and suspends the task', () => {
    const { open, request, status, life, tenant } = world({
      policy: { scoring: { high: 30, suspend_from: 65 } },
    })
    const task = open()
    const ids = ['a', 'b', 'c'].map((name) => request(task.id, deleting(name)).id)

    expect(ids.map(life)).toEqual(['revoked', 'revoked', 'denied'])
    expect(status(task.id)).toBe('suspended')
    const reason = 'the task reached the risk score 65'
    expect(tenant.state.requests.get(ids[2] ?? '')?.decided).toMatchObject({ by: 'policy', reason })
    expect(tenant.state.tasks.get(task.id)?.ended).toMatchObject({ as: 'suspended', reason })
  })

  it('counts a request the policy denies, and the denial, before the next decision', () => {
    const { open, request, status } = world({
      policy: {
        rules: [{ name: 'never', risk: 'high', decision: 'deny' }],
        scoring: { high: 30, denial: 5, suspend_from: 35 },
      },
    })
    const task = open()

    request(task.id, reading())

    expect(status(task.id)).toBe('suspended')
  })

  it('is 65 at the third refused export, as in LumoAuth’s own example', () => {
    const { open, request, deny, tenant, status } = world()
    const task = open()
    for (const name of ['a', 'b']) deny(request(task.id, exporting(name)).id)

    request(task.id, exporting('c'))

    expect(status(task.id)).toBe('suspended')
    expect(tenant.state.tasks.get(task.id)).toMatchObject({ score: 65, denials: 3 })
  })

  it.each([
    ['denials', { agent_denials: 3 }, '3 requests of the agent were denied within 600 s'],
    ['score', { agent_from: 55 }, 'the agent reached the risk score 55 within 600 s'],
  ])(
    'counts %s over all tasks of an agent and of those it registered, within 600 s',
    (_, scoring, reason) => {
      const { open, request, deny, tenant, status, clock } = world({ policy: { scoring } })
      const order = { by: { agent: bot }, name: 'helper', secretHash: '' }
      const [{ agent: helper }] = tenant.run(registerAgent, order)
      const refused = ({ id: agentId }: { id: string }) => {
        const task = open({ agentId })
        deny(request(task.id, deleting(task.id), { agentId }).id)
        return task.id
      }
      refused(bot)
      clock.advance(600)
      const tasks = [refused(bot), refused(helper)]
      expect(tasks.map(status)).toEqual(['active', 'active'])

      const last = refused(helper)

      expect(tenant.state.tasks.get(last)?.ended).toMatchObject({ as: 'suspended', reason })
      const other = refused(stranger)
      expect(status(other)).toBe('active')
    },
  )

  it('denies the request with which an agent reaches its limit over all tasks', () => {
    const scoring = { critical: 15, agent_from: 45 }
    const { open, request, life, state } = world({ policy: { scoring } })
    const ids = ['a', 'b', 'c'].map((name) => request(open().id, exporting(name)).id)

    expect(ids.map(life)).toEqual(['pending', 'pending', 'denied'])
    expect(state.requests.get(ids[2] ?? '')?.decided).toMatchObject({
      reason: 'the agent reached the risk score 45 within 600 s',
    })
  })

  it('counts a request that the policy denies over all tasks of the agent, too', () => {
    const { open, request, status } = world({
      policy: {
        rules: [{ name: 'never', risk: 'high', decision: 'deny' }],
        scoring: { high: 30, denial: 5, agent_from: 70 },
      },
    })
    const tasks = [open(), open()]
    for (const { id } of tasks) request(id, reading())

    expect(tasks.map(({ id }) => status(id))).toEqual(['active', 'suspended'])
  })

  it('includes the denials of the tasks above it', () => {
    const { open, request, deny } = world()
    const parent = open()
    const child = open({ parentTaskId: parent.id })
    for (const task of [parent, child]) deny(request(task.id, deleting(task.id)).id)

    expect(request(child.id, reading()).explanation.inputs).toMatchObject({ denials: 2 })
    expect(request(parent.id, reading()).explanation.inputs).toMatchObject({ denials: 1 })
  })

  it('suspends the tasks below it', () => {
    const { open, request, deny, status } = world()
    const parent = open()
    const child = open({ parentTaskId: parent.id })
    for (const name of ['a', 'b', 'c']) deny(request(parent.id, deleting(name)).id)

    expect(status(child.id)).toBe('suspended')
  })

  it('counts a denial by a policy rule, which carries the rule’s reason', () => {
    const { open, tenant } = world({
      policy: {
        rules: [{ name: 'never', risk: 'low', decision: 'deny', reason: 'not on Sundays' }],
      },
    })
    const task = open()

    const events = tenant.run(requestPermission, {
      agentId: bot.id,
      taskId: task.id,
      detail: reading(),
    })

    expect(events[1]).toMatchObject({
      type: 'permission.denied',
      by: 'policy',
      reason: 'not on Sundays',
    })
    expect(tenant.state.tasks.get(task.id)?.denials).toBe(1)
  })
})
