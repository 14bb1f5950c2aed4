import { describe, expect, it } from 'vitest'
import { scopeApproval, scopeDetail } from '../../../server/issuer/scopes.ts'
import { ada, bot, errorOf, start, stranger, world } from './world.ts'

describe('scopes of the older form', () => {
  const status = ({ tenant, clock }: ReturnType<typeof world>, taskId: string) =>
    scopeApproval(tenant.state, taskId, bot.id, clock.now())

  it('wait for a person, and are what was approved', () => {
    const here = world()
    const taskId = here.open().id
    const { id } = here.request(taskId, scopeDetail(['read:a', 'write:b', 'read:a']))

    expect(status(here, taskId)).toMatchObject({ status: 'pending', scopes: [] })
    here.approve(id)
    expect(status(here, taskId)).toMatchObject({
      status: 'approved',
      scopes: ['read:a', 'write:b'],
      by: ada.id,
      expiresAt: start + 600,
    })
  })

  it('are denied or expired as their request is', () => {
    const here = world()
    const [denied, expired] = [here.open().id, here.open().id]
    here.deny(here.request(denied, scopeDetail(['x'])).id)
    here.request(expired, scopeDetail(['x']))
    here.clock.advance(300)

    expect(status(here, denied).status).toBe('denied')
    expect(status(here, expired).status).toBe('expired')
  })

  it('are nobody else’s business', () => {
    const { open, tenant } = world()
    const taskId = open().id

    expect(errorOf(() => scopeApproval(tenant.state, taskId, stranger.id, start))).toBe(
      'task_forbidden',
    )
  })
})
