import { describe, expect, it } from 'vitest'
import { alice, bob, bot, errorOf, reading, refusalOf, start, stranger, world } from './world.ts'

describe('opening a task', () => {
  it('is refused on behalf of a user without the right to act for users', () => {
    const { open } = world()

    const refusal = errorOf(() => open({ agentId: stranger.id, onBehalfOf: alice.email }))

    expect(refusal).toBe('delegation_not_allowed')
  })

  it('is refused with unknown_user on behalf of an unknown user', () => {
    const { open } = world()

    expect(errorOf(() => open({ onBehalfOf: 'unknown@example.com' }))).toBe('unknown_user')
  })

  it('is refused below an unknown, another agent’s or an ended task', () => {
    const { open, complete } = world()
    const mine = open()
    const over = open()
    complete(over.id)

    expect(errorOf(() => open({ parentTaskId: 'task_x' }))).toBe('not_found')
    expect(errorOf(() => open({ agentId: stranger.id, parentTaskId: mine.id }))).toBe(
      'task_forbidden',
    )
    expect(refusalOf(() => open({ parentTaskId: over.id }))).toMatchObject({
      error: 'task_not_active',
      status: 'completed',
    })
  })

  it('gives the task the lifetime the policy sets', () => {
    const { open, status, clock } = world({ policy: { task_lifetime: 'PT10M' } })

    const task = open({ name: 'Q4 report' })

    expect(task.expiresAt).toBe(start + 600)
    clock.advance(599)
    expect(status(task.id)).toBe('active')
    clock.advance(1)
    expect(status(task.id)).toBe('expired')
  })

  it('never lets a child outlive its parent, and gives it the parent’s user', () => {
    const { open, clock } = world()
    const parent = open({ onBehalfOf: alice.email })
    clock.advance(3000)

    const child = open({ parentTaskId: parent.id })

    expect(child).toMatchObject({ expiresAt: parent.expiresAt, onBehalfOf: alice.id })
    expect(child.parentId).toBe(parent.id)
  })
})

describe('completing a task', () => {
  it('is refused for another agent’s task and for an unknown task', () => {
    const { open, complete } = world()
    const task = open()

    expect(errorOf(() => complete(task.id, stranger))).toBe('task_forbidden')
    expect(errorOf(() => complete('task_x'))).toBe('not_found')
  })

  it('is refused once the task has expired', () => {
    const { open, complete, clock } = world()
    const task = open()
    clock.advance(3600)

    expect(refusalOf(() => complete(task.id))).toMatchObject({
      error: 'task_not_active',
      status: 'expired',
    })
  })

  it('completes the task once, however often it is requested', () => {
    const { open, complete, happened } = world()
    const task = open()
    complete(task.id)

    complete(task.id)

    expect(happened()).toEqual(['task.opened', 'task.completed'])
  })

  it('revokes the tokens of the task and of the tasks below it, deepest first, and no others', () => {
    const { open, request, exchange, complete, tenant, status } = world()
    const [parent, other] = [open(), open()]
    const child = open({ parentTaskId: parent.id })
    const grandchild = open({ parentTaskId: child.id })
    const tokens = [parent, child, grandchild, other].map(({ id }) =>
      exchange(request(id, reading()).id),
    )
    const before = tenant.journal.last

    complete(parent.id)

    expect(
      tenant.journal
        .after(before)
        .map((it) => [it.type, 'jti' in it ? it.jti : 'taskId' in it && it.taskId]),
    ).toEqual([
      ['token.revoked', tokens[2]?.jti],
      ['task.completed', grandchild.id],
      ['token.revoked', tokens[1]?.jti],
      ['task.completed', child.id],
      ['token.revoked', tokens[0]?.jti],
      ['task.completed', parent.id],
    ])
    expect(status(other.id)).toBe('active')
    expect(tenant.state.tokens.get(tokens[3]?.jti ?? '')?.revokedAt).toBeUndefined()
  })

  it('leaves a task below it that has ended as it was', () => {
    const { open, complete, tenant } = world()
    const parent = open()
    const child = open({ parentTaskId: parent.id })
    complete(child.id)
    const before = tenant.journal.last

    complete(parent.id)

    expect(tenant.journal.after(before)).toMatchObject([
      { type: 'task.completed', taskId: parent.id },
    ])
  })

  it('of a child leaves its parent active', () => {
    const { open, complete, status } = world()
    const parent = open()

    complete(open({ parentTaskId: parent.id }).id)

    expect(status(parent.id)).toBe('active')
  })
})

describe('an ended task', () => {
  it('is deleted an hour after it would have expired', () => {
    const { open, request, exchange, complete, clock, state } = world()
    const task = open()
    const { id } = request(task.id, reading())
    exchange(id)
    complete(task.id)
    clock.advance(3600 + 3600 + 120)

    open()

    expect(state.tasks.size).toBe(1)
    expect(state.requests.size).toBe(0)
    expect(state.tokens.size).toBe(0)
    expect(state.undecided.size).toBe(0)
    expect(state.forgetting.size).toBeLessThan(4)
  })

  it('is kept until then, so that its status can be read', () => {
    const { open, complete, clock, status } = world()
    const task = open()
    complete(task.id)
    clock.advance(3500 + 3500)
    open()

    expect(status(task.id)).toBe('completed')
  })

  it('is deleted without its user and agent', () => {
    const { open, clock, state } = world()
    open()
    clock.advance(1_000_000)
    open()

    expect([...state.agents.keys()]).toEqual([bot.id, stranger.id])
    expect(state.users.get(bob.id)).toBe(bob)
  })
})
