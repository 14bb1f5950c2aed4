import { describe, expect, it } from 'vitest'
import { scopeApproval, scopeDetail } from '../../../../server/issuer/oauth/scopes.ts'
import { ada, bob, bot, errorOf, exporting, start, stranger, world } from '../world.ts'

describe('JIT scopes (the older form)', () => {
  const status = ({ tenant, clock }: ReturnType<typeof world>, taskId: string) => {
    const { approved, ...seen } = scopeApproval(tenant.state, taskId, bot.id, clock.now())
    return { ...seen, approved: approved.map(({ request }) => request.id) }
  }

  it('are pending until a person approves them', () => {
    const here = world()
    const taskId = here.open().id
    const { id } = here.request(taskId, scopeDetail(['read:a', 'write:b', 'read:a']))

    expect(status(here, taskId)).toMatchObject({ status: 'pending', scopes: [] })
    here.approve(id)
    expect(status(here, taskId)).toMatchObject({
      status: 'approved',
      scopes: ['read:a', 'write:b'],
      by: ada.id,
      approved: [id],
    })
  })

  it('are denied or expired when their request is', () => {
    const here = world()
    const [denied, expired] = [here.open().id, here.open().id]
    here.deny(here.request(denied, scopeDetail(['x'])).id)
    here.request(expired, scopeDetail(['x']))
    here.clock.advance(300)

    expect(status(here, denied).status).toBe('denied')
    expect(status(here, expired).status).toBe('expired')
  })

  it('are refused with task_forbidden to another agent', () => {
    const { open, tenant } = world()
    const taskId = open().id

    expect(errorOf(() => scopeApproval(tenant.state, taskId, stranger.id, start))).toBe(
      'task_forbidden',
    )
  })

  it('become a detail of type scope, with locations if there are any', () => {
    expect(scopeDetail(['a', 'a'], ['https://a.test'])).toStrictEqual({
      type: 'scope',
      actions: ['a'],
      locations: ['https://a.test'],
    })
    expect(scopeDetail(['a'])).toStrictEqual({ type: 'scope', actions: ['a'] })
  })

  it('ignore other requests in the same task', () => {
    const here = world()
    const taskId = here.open().id
    here.approve(here.request(taskId, exporting()).id)
    here.request(taskId, exporting('other'))

    expect(status(here, taskId)).toEqual({ status: 'expired', scopes: [], approved: [] })
  })

  it('are pending as long as one of them is', () => {
    const here = world()
    const taskId = here.open().id
    const [first, second] = ['a', 'b'].map((scope) => here.request(taskId, scopeDetail([scope])).id)
    here.approve(first ?? '', ada, 60)

    expect(status(here, taskId)).toEqual({ status: 'pending', scopes: ['a'], approved: [first] })
    here.clock.advance(10)
    here.approve(second ?? '', bob, 600)
    expect(status(here, taskId)).toEqual({
      status: 'approved',
      scopes: ['a', 'b'],
      by: bob.id,
      at: start + 10,
      approved: [first, second],
    })
  })

  it('without scopes are approved without scopes', () => {
    const here = world()
    const taskId = here.open().id
    here.approve(here.request(taskId, { type: 'scope' }).id)

    expect(status(here, taskId)).toMatchObject({ status: 'approved', scopes: [] })
  })

  it('name who denied them', () => {
    const here = world()
    const taskId = here.open().id
    here.deny(here.request(taskId, scopeDetail(['x'])).id)

    expect(status(here, taskId)).toEqual({
      status: 'denied',
      scopes: [],
      by: ada.id,
      at: start,
      approved: [],
    })
  })
})
