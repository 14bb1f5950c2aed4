import { describe, expect, it } from 'vitest'
import { evaluateTask } from '../../../server/issuer/evaluation.ts'
import { requestPermission } from '../../../server/issuer/requests.ts'
import { createStream } from '../../../server/issuer/signals.ts'
import { ada, alice, bob, bot, exporting, reading, start, world } from './world.ts'

describe('the record', () => {
  it('of a task holds what it was opened with', () => {
    const { open } = world()
    const parent = open({ onBehalfOf: alice.email })

    expect(open({ name: 'Q4', type: 'analysis', parentTaskId: parent.id })).toStrictEqual({
      id: 'task_3',
      agentId: bot.id,
      caepSessionId: 'caep_4',
      openedAt: start,
      expiresAt: start + 3600,
      name: 'Q4',
      type: 'analysis',
      parentId: parent.id,
      onBehalfOf: alice.id,
    })
    expect(open()).toStrictEqual({
      id: 'task_5',
      agentId: bot.id,
      caepSessionId: 'caep_6',
      openedAt: start,
      expiresAt: start + 3600,
    })
  })

  it('of a request holds the question and how the policy decided', () => {
    const { open, tenant } = world()
    const taskId = open({ onBehalfOf: alice.email }).id
    const order = { agentId: bot.id, taskId, detail: reading() }
    const more = { requestedTtl: 60, justification: 'why', callbackUrl: 'https://a.test/cb' }

    const [requested, approved] = tenant.run(requestPermission, { ...order, ...more })

    expect(requested).toStrictEqual({
      type: 'permission.requested',
      score: 1,
      request: {
        ...order,
        id: 'jit_3',
        risk: 'low',
        ttl: 60,
        maxTtl: 900,
        approvalsRequired: 1,
        requestedAt: start,
        expiresAt: start + 300,
        justification: 'why',
        callbackUrl: 'https://a.test/cb',
        explanation: {
          rule: 'reads are approved',
          decision: 'approve',
          risk_level: 'low',
          inputs: {
            agent: 'report-bot',
            score: 0,
            denials: 0,
            requests_last_minute: 0,
            requested_ttl: 60,
            on_behalf_of: alice.email,
          },
        },
      },
    })
    expect(approved).toStrictEqual({
      type: 'permission.approved',
      requestId: 'jit_3',
      taskId,
      by: 'policy',
      ttl: 60,
    })
  })

  it('of a request omits missing fields', () => {
    const { open, request } = world()

    const made = request(open().id, reading())

    expect(Object.keys(made)).not.toContain('justification')
    expect(Object.keys(made)).not.toContain('callbackUrl')
    expect(made.explanation.inputs).toStrictEqual({
      agent: 'report-bot',
      score: 0,
      denials: 0,
      requests_last_minute: 0,
    })
  })

  it('of a decision holds who decided, when and why', () => {
    const { open, request, approve, deny, clock, tenant } = world()
    const task = open()
    const [yes, no] = [request(task.id, exporting('a')), request(task.id, exporting('b'))]
    clock.advance(10)
    approve(yes.id, ada, 30)
    deny(no.id, bob)

    const decided = (id: string) => tenant.state.requests.get(id)?.decided
    expect(decided(yes.id)).toStrictEqual({ as: 'approved', by: ada.id, at: start + 10, ttl: 30 })
    expect(decided(no.id)).toStrictEqual({ as: 'denied', by: bob.id, at: start + 10, reason: 'no' })
    expect(tenant.state.undecided.size).toBe(0)
  })

  it('of a token holds what it is for, and the user only if the agent acts for one', () => {
    const { open, request, exchange } = world()
    const task = open()
    const made = request(task.id, reading())

    expect(exchange(made.id)).toStrictEqual({
      jti: 'jti_4',
      kind: 'jit',
      sub: `agent:report-bot:task:${task.id}`,
      clientId: 'report-bot',
      agentId: bot.id,
      issuedAt: start,
      expiresAt: start + 600,
      taskId: task.id,
      requestId: made.id,
      detail: reading(),
    })
  })

  it('of an evaluation holds what the agent said', () => {
    const { open, tenant } = world({ dialect: { evaluate_closes: 'no' } })
    const taskId = open().id
    const evaluated = (more: object) =>
      tenant.run(evaluateTask, { taskId, agentId: bot.id, ...more })

    expect(evaluated({ result: 'done', notes: 'well' })).toStrictEqual([
      { type: 'task.evaluated', taskId, result: 'done', notes: 'well' },
    ])
    expect(evaluated({})).toStrictEqual([{ type: 'task.evaluated', taskId }])
  })

  it('of a stream holds its endpoint, if it has one, and whose events it carries', () => {
    const { tenant } = world()
    const order = { clientId: 'rs', issuer: 'https://lumo.test', audience: [], requested: [] }
    const made = (more: object) => tenant.run(createStream, { ...order, ...more })[0].stream

    expect(made({})).toStrictEqual({
      id: 'ssf_1',
      clientId: 'rs',
      issuer: 'https://lumo.test',
      audience: [],
      events: [],
      createdAt: start,
    })
    expect(made({ agentId: bot.id, endpoint: 'https://rs.test', authorized: true })).toMatchObject({
      agentId: bot.id,
      endpoint: 'https://rs.test',
      authorized: true,
    })
  })
})
