import { describe, expect, it } from 'vitest'
import { denyRequest } from '../../../server/issuer/requests.ts'
import { ada, bob, errorOf, exporting, reading, start, world } from './world.ts'

describe('pending requests for the same detail in a task', () => {
  it('are decided together, and each gets its own token', () => {
    const { open, request, approve, exchange, life } = world()
    const task = open()
    const ids = [1, 2, 3].map(() => request(task.id, exporting('same')).id)
    const other = request(task.id, exporting('other')).id

    approve(ids[1] ?? '')

    expect(ids.map(life)).toEqual(['approved', 'approved', 'approved'])
    expect(life(other)).toBe('pending')
    expect(new Set(ids.map((id) => exchange(id).jti)).size).toBe(3)
  })

  it('expire no later than the request the approver saw', () => {
    const { open, request, approve, tenant } = world()
    const task = open()
    const short = request(task.id, exporting('same'), { requestedTtl: 5 }).id
    const long = request(task.id, exporting('same'), { requestedTtl: 900 }).id

    approve(short)

    const ttlOf = (id: string) => {
      const decided = tenant.state.requests.get(id)?.decided
      return decided?.as === 'approved' ? decided.ttl : undefined
    }
    expect([ttlOf(short), ttlOf(long)]).toEqual([5, 5])
  })

  it('are denied together, which counts as one denial', () => {
    const { open, request, deny, life, tenant } = world()
    const task = open()
    const ids = [1, 2].map(() => request(task.id, exporting('same')).id)

    deny(ids[0] ?? '')

    expect(ids.map(life)).toEqual(['denied', 'denied'])
    expect(tenant.state.tasks.get(task.id)?.denials).toBe(1)
  })

  it('need as many approvers as a single request', () => {
    const { open, request, approve, life } = world({
      policy: { rules: [{ name: 'four eyes', risk: 'high', decision: 'ask', approvers: 2 }] },
    })
    const task = open()
    const ids = [1, 2].map(() => request(task.id, reading()).id)
    approve(ids[0] ?? '', ada)

    expect(ids.map(life)).toEqual(['pending', 'pending'])
    expect(errorOf(() => approve(ids[1] ?? '', ada))).toBe('approval_forbidden')
    approve(ids[1] ?? '', bob)
    expect(ids.map(life)).toEqual(['approved', 'approved'])
  })

  it('count an approval of the same person once', () => {
    const { open, request, approve, life, state } = world({
      policy: { rules: [{ name: 'six eyes', risk: 'high', decision: 'ask', approvers: 3 }] },
    })
    const task = open()
    const first = request(task.id, reading()).id
    approve(first, ada)
    const second = request(task.id, reading()).id

    approve(second, ada)

    expect(state.requests.get(first)?.endorsedBy).toEqual([ada.id])
    expect(state.requests.get(second)?.endorsedBy).toEqual([ada.id])
    expect(life(first)).toBe('pending')
  })

  it('leave decided and expired requests as they are', () => {
    const { open, request, approve, deny, life, clock, happened } = world()
    const task = open()
    const denied = request(task.id, exporting()).id
    deny(denied)
    const expired = request(task.id, exporting()).id
    clock.advance(300)
    const pending = request(task.id, exporting()).id
    const before = happened().length

    approve(pending)

    expect([denied, expired, pending].map(life)).toEqual(['denied', 'expired', 'approved'])
    expect(happened().slice(before)).toEqual(['permission.endorsed', 'permission.approved'])
  })

  it('are denied with the same reason, if there is one', () => {
    const { open, request, deny, tenant } = world()
    const twice = (taskId: string) => [1, 2].map(() => request(taskId, exporting()).id)
    const [first, second] = twice(open().id)
    const [other, last] = twice(open().id)
    const decided = (id = '') => tenant.state.requests.get(id)?.decided

    deny(first ?? '')
    tenant.run(denyRequest, { requestId: other ?? '', userId: ada.id })

    expect(decided(second)).toMatchObject({ as: 'denied', by: ada.id, reason: 'no' })
    expect(decided(last)).not.toHaveProperty('reason')
  })

  it('keep their own lifetime, at most what the approver allows', () => {
    const { open, request, approve, exchange } = world()
    const task = open()
    const [long, short] = [
      request(task.id, exporting(), { requestedTtl: 600 }),
      request(task.id, exporting(), { requestedTtl: 60 }),
    ]

    approve(long.id)

    expect(exchange(long.id).expiresAt).toBe(start + 600)
    expect(exchange(short.id).expiresAt).toBe(start + 60)
  })

  it('stay apart with duplicate_requests: separate, and in different tasks always', () => {
    const apart = world({ dialect: { duplicate_requests: 'separate' } })
    const task = apart.open()
    const ids = [1, 2].map(() => apart.request(task.id, exporting()).id)
    apart.approve(ids[0] ?? '')
    const folding = world()
    const tasks = [1, 2].map(() => folding.request(folding.open().id, exporting()).id)
    folding.approve(tasks[0] ?? '')

    expect(ids.map(apart.life)).toEqual(['approved', 'pending'])
    expect(tasks.map(folding.life)).toEqual(['approved', 'pending'])
  })
})
