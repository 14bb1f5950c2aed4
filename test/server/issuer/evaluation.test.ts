import { describe, expect, it } from 'vitest'
import { evaluateTask } from '../../../server/issuer/evaluation.ts'
import { Policy } from '../../../server/wire/index.ts'
import { ada, alice, bot, errorOf, reading, start, stranger, world } from './world.ts'

describe('evaluating a task', () => {
  it('is refused for another agent’s task, and for users who are not approvers', () => {
    const { open, tenant } = world()
    const taskId = open().id
    const by = (who: object) => errorOf(() => tenant.run(evaluateTask, { taskId, ...who }))

    expect(by({ agentId: stranger.id })).toBe('task_forbidden')
    expect(by({ userId: alice.id })).toBe('approval_forbidden')
    expect(by({ userId: ada.id, result: 'failed' })).toBe('task_forbidden')
    expect(errorOf(() => tenant.run(evaluateTask, { taskId: 'x', agentId: bot.id }))).toBe(
      'not_found',
    )
  })

  it('without a result changes nothing', () => {
    const { open, tenant, status } = world()
    const taskId = open().id

    tenant.run(evaluateTask, { taskId, agentId: bot.id })
    tenant.run(evaluateTask, { taskId, userId: ada.id })

    expect(status(taskId)).toBe('active')
  })

  it.each([
    ['yes', 'completed'],
    ['no', 'active'],
  ] as const)(
    'with a result completes the task when the dialect says %s',
    (evaluate_closes, expected) => {
      const { open, tenant, status } = world({ dialect: { evaluate_closes } })
      const taskId = open().id

      tenant.run(evaluateTask, { taskId, agentId: bot.id, result: 'failed' })

      expect(status(taskId)).toBe(expected)
    },
  )

  it('suspends the task when a new policy finds the risk too high', () => {
    const { open, request, exchange, tenant, status } = world()
    const task = open()
    const token = exchange(request(task.id, reading()).id)
    const policy = Policy.parse({ scoring: { suspend_from: 1 } })
    tenant.happen([{ type: 'policy.replaced', policy }])

    tenant.run(evaluateTask, { taskId: task.id, agentId: bot.id, result: 'completed' })

    expect(status(task.id)).toBe('suspended')
    expect(tenant.state.tokens.get(token.jti)?.revokedAt).toBe(start)
  })

  it('records an evaluation sent after the end, and changes nothing else', () => {
    const { open, complete, tenant, happened } = world()
    const taskId = open().id
    complete(taskId)

    tenant.run(evaluateTask, { taskId, agentId: bot.id, result: 'completed', notes: 'done' })

    expect(happened()).toEqual(['task.opened', 'task.completed', 'task.evaluated'])
  })

  it('never suspends a task that has ended', () => {
    const { open, request, complete, tenant, status } = world()
    const taskId = open().id
    request(taskId, reading())
    complete(taskId)
    const policy = Policy.parse({ scoring: { suspend_from: 1 } })
    tenant.happen([{ type: 'policy.replaced', policy }])

    tenant.run(evaluateTask, { taskId, agentId: bot.id })

    expect(status(taskId)).toBe('completed')
  })
})
