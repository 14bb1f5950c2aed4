import { describe, expect, it } from 'vitest'
import { approveRequest, denyRequest, grantedDetail } from '../../../server/issuer/requests.ts'
import { ada, bob, refusalOf, world } from './world.ts'

const wanted = { type: 'file_access', actions: ['read', 'delete', 'export'], identifier: 'doc_1' }

/** A request for three actions that waits for people. */
const waiting = (approvers = 1) => {
  const at = world({
    policy: {
      rules: [{ name: 'ask', risk: 'high', decision: 'ask', approvers }],
    },
  })
  const { id } = at.request(at.open().id, wanted)
  const approve = (actions?: string[], user = ada, more: object = {}) =>
    at.tenant.run(approveRequest, { requestId: id, userId: user.id, actions, ...more })
  const granted = () => {
    const record = at.state.requests.get(id)
    return record && grantedDetail(record)
  }
  return { ...at, id, approve, granted }
}

describe('an approval of some of the requested actions', () => {
  it.each([[['write']], [['read', 'write']], [[]]])('is refused for %j', (actions) => {
    const { approve, life, id } = waiting()

    expect(refusalOf(() => approve(actions))).toEqual({
      error: 'invalid_authorization_details',
      reason: 'actions: expected a subset of read, delete, export',
    })
    expect(life(id)).toBe('pending')
  })

  it('grants these actions in the order of the request, and the token has no others', () => {
    const { approve, granted, exchange, id } = waiting()

    const [, approved] = approve(['export', 'read'])

    const narrower = { ...wanted, actions: ['read', 'export'] }
    expect(approved).toMatchObject({ type: 'permission.approved', detail: narrower })
    expect(granted()).toEqual(narrower)
    expect(exchange(id).detail).toEqual(narrower)
  })

  it('is a whole approval where it names all actions, or none', () => {
    for (const actions of [['export', 'read', 'delete'], undefined]) {
      const { approve, granted } = waiting()

      expect(approve(actions)[1]).not.toHaveProperty('detail')
      expect(granted()).toEqual(wanted)
    }
  })

  it('bounds every later approver: only actions that all of them permit are granted', () => {
    const { approve, granted, life, id } = waiting(2)

    expect(approve(['read', 'delete'])).toEqual([
      expect.objectContaining({ type: 'permission.endorsed', actions: ['read', 'delete'] }),
    ])
    expect(life(id)).toBe('pending')
    expect(refusalOf(() => approve(['export'], bob))).toMatchObject({
      reason: 'actions: expected a subset of read, delete',
    })
    approve(['delete', 'export'], bob)

    expect(life(id)).toBe('approved')
    expect(granted()).toEqual({ ...wanted, actions: ['delete'] })
  })

  it('still bounds the result when a later approver permits all actions', () => {
    const { approve, granted } = waiting(2)
    approve(['read'])
    approve(undefined, bob)

    expect(granted()).toEqual({ ...wanted, actions: ['read'] })
  })
})

describe('the texts of a decision', () => {
  it('are stored where they are given', () => {
    const texts = { notes: 'seen with Bob', message: 'for today only' }

    expect(waiting().approve(undefined, ada, texts)[1]).toMatchObject(texts)
    const [, approved] = waiting().approve()
    expect(approved).not.toHaveProperty('notes')
    expect(approved).not.toHaveProperty('message')
  })

  it('of a denial are stored where they are given', () => {
    const texts = { reason: 'audit', message: 'ask again tomorrow' }
    const deny = (more: object) => {
      const { tenant, id } = waiting()
      return tenant.run(denyRequest, { requestId: id, userId: ada.id, ...more })[0]
    }

    expect(deny(texts)).toMatchObject({ type: 'permission.denied', ...texts })
    expect(deny({})).not.toHaveProperty('reason')
    expect(deny({})).not.toHaveProperty('message')
  })
})
