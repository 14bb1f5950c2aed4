import { describe, expect, it } from 'vitest'
import { stopTask, withdrawPermission } from '../../../server/issuer/withdraw.ts'
import { ada, alice, deleting, errorOf, exporting, reading, refusalOf, world } from './world.ts'

describe('withdrawing a permission', () => {
  const opened = () => {
    const at = world()
    const task = at.open()
    const withdraw = (requestId: string, user = ada) =>
      at.tenant.run(withdrawPermission, { requestId, userId: user.id })
    return { ...at, task, withdraw }
  }

  it('is refused without the permission jit.approve', () => {
    const { task, request, withdraw } = opened()
    const { id } = request(task.id, reading())

    expect(refusalOf(() => withdraw(id, alice))).toEqual({
      error: 'approval_forbidden',
      reason: 'the permission jit.approve is missing',
    })
  })

  it('is refused for an unknown request', () => {
    expect(errorOf(() => opened().withdraw('req_none'))).toBe('not_found')
  })

  it('is refused for a request that waits or was denied', () => {
    const { task, request, deny, withdraw } = opened()
    const waiting = request(task.id, exporting())
    const denied = request(task.id, deleting())
    deny(denied.id)

    expect(refusalOf(() => withdraw(waiting.id))).toEqual({
      error: 'request_not_approved',
      requestId: waiting.id,
      status: 'pending',
    })
    expect(refusalOf(() => withdraw(denied.id))).toMatchObject({ status: 'denied' })
  })

  it('revokes the tokens of this request only', () => {
    const { task, request, exchange, withdraw, life } = opened()
    const [first, second] = [request(task.id, reading('a')), request(task.id, reading('b'))]
    const [token] = [exchange(first.id), exchange(second.id)]

    const events = withdraw(first.id)

    expect(events).toEqual([
      { type: 'permission.revoked', requestId: first.id, taskId: task.id, by: ada.id },
      { type: 'token.revoked', jti: token.jti, reason: 'revoked_by_approver', taskId: task.id },
    ])
    expect(life(first.id)).toBe('revoked')
    expect(life(second.id)).toBe('exchanged')
  })

  it('prevents the exchange of an approval', () => {
    const { task, request, exchange, withdraw } = opened()
    const { id } = request(task.id, reading())

    expect(withdraw(id).map(({ type }) => type)).toEqual(['permission.revoked'])
    expect(errorOf(() => exchange(id))).toBe('request_not_approved')
  })

  it('changes nothing the second time, and revokes no expired token', () => {
    const { task, request, exchange, withdraw, clock } = opened()
    const [first, second] = [request(task.id, reading('a')), request(task.id, reading('b'))]
    exchange(second.id)
    withdraw(first.id)
    clock.advance(901)

    expect(withdraw(first.id)).toEqual([])
    expect(withdraw(second.id).map(({ type }) => type)).not.toContain('token.revoked')
  })
})

describe('stopping a task', () => {
  const stopping = () => {
    const at = world()
    const stop = (taskId: string, user = ada) =>
      at.tenant.run(stopTask, { taskId, userId: user.id })
    return { ...at, stop }
  }

  it('is refused without the permission jit.approve, for an unknown task and for an ended one', () => {
    const { open, complete, stop } = stopping()
    const task = open()

    expect(errorOf(() => stop(task.id, alice))).toBe('approval_forbidden')
    expect(errorOf(() => stop('task_none'))).toBe('not_found')
    complete(task.id)
    expect(refusalOf(() => stop(task.id))).toEqual({
      error: 'task_not_active',
      taskId: task.id,
      status: 'completed',
    })
  })

  it('suspends the task and its child tasks, and revokes their tokens', () => {
    const { open, request, exchange, stop, status, tenant } = stopping()
    const task = open()
    const child = open({ parentTaskId: task.id })
    const other = open()
    const { jti } = exchange(request(child.id, reading()).id)

    const events = stop(task.id)

    expect([task, child, other].map(({ id }) => status(id))).toEqual([
      'suspended',
      'suspended',
      'active',
    ])
    expect(tenant.state.tokens.get(jti)?.revokedAt).toBeDefined()
    expect(tenant.state.tasks.get(task.id)?.ended).toMatchObject({
      reason: 'an approver ended the task',
    })
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'task.suspended', taskId: task.id, by: ada.id }),
    )
  })
})
