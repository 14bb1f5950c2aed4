import { describe, expect, it } from 'vitest'
import { askApproval } from '../../../server/issuer/approvals.ts'
import { registerAgent } from '../../../server/issuer/registration.ts'
import { alice, bot, errorOf, exporting, reading, refusalOf, stranger, world } from './world.ts'

describe('what one caller can have is limited:', () => {
  it('tasks within one another', () => {
    const { open } = world({ policy: { limits: { task_depth: 3 } } })
    const [a, b, c] = [0, 1, 2].reduce<string[]>(
      (above) => [...above, open(above.length ? { parentTaskId: above.at(-1) } : {}).id],
      [],
    )

    expect(refusalOf(() => open({ parentTaskId: c }))).toMatchObject({
      error: 'limit_reached',
      limit: 3,
    })
    open({ parentTaskId: b })
    open({ parentTaskId: a })
  })

  it('active tasks of one agent, without counting what is over', () => {
    const { open, complete, clock } = world({ policy: { limits: { tasks_per_agent: 2 } } })
    const first = open()
    open()

    expect(errorOf(() => open())).toBe('limit_reached')
    open({ agentId: stranger.id })
    complete(first.id)
    open()
    expect(errorOf(() => open())).toBe('limit_reached')
    clock.advance(3600)
    open()
  })

  it('requests within one task, and those that wait for a person', () => {
    const policy = {
      limits: { requests_per_task: 4, pending_per_task: 2 },
      scoring: { critical: 0, low: 0 },
    }
    const { open, request, clock } = world({ policy })
    const task = open()
    for (const name of ['a', 'b']) request(task.id, exporting(name))

    expect(refusalOf(() => request(task.id, exporting('c')))).toMatchObject({ limit: 2 })
    clock.advance(300)
    for (const name of ['c', 'd']) request(task.id, exporting(name))
    expect(refusalOf(() => request(task.id, reading()))).toMatchObject({ limit: 4 })
  })

  it('unanswered push approvals of one agent', () => {
    const { tenant, clock } = world({ policy: { limits: { approvals_per_agent: 1 } } })
    const order = { agentId: bot.id, task: 't', reason: 'r', impact: 'low', onBehalfOf: alice.id }
    tenant.run(askApproval, { ...order, impact: 'low' })

    expect(errorOf(() => tenant.run(askApproval, { ...order, impact: 'low' }))).toBe(
      'limit_reached',
    )
    clock.advance(120)
    tenant.run(askApproval, { ...order, impact: 'low' })
  })

  it('agents', () => {
    const { tenant } = world({ policy: { limits: { agents: 2 } } })
    const order = { by: { agent: bot }, name: 'x', clientId: 'x', secretHash: '' }

    expect(errorOf(() => tenant.run(registerAgent, order))).toBe('limit_reached')
  })
})
