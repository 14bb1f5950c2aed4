import { describe, expect, it } from 'vitest'
import type { Event } from '../../../server/issuer/event.ts'
import { countKept, keptBytesOf, refuseBeyondShare } from '../../../server/issuer/kept-bytes.ts'
import { sizeOf } from '../../../server/wire/size-of.ts'
import { bot, refusalOf, stranger, world } from './world.ts'

const text = 'x'.repeat(1000)

/** An event with a thousand characters in one member. */
const eventWith = (type: string, record: string | undefined, member: string, owner: object) =>
  ({
    type,
    ...(record === undefined
      ? { ...owner, [member]: text }
      : { [record]: { ...owner, [member]: text } }),
  }) as unknown as Event

const agent = { agentId: bot.id }
const client = { clientId: 'app' }

describe('the bytes of a caller that an event stores', () => {
  it.each<[string, string | undefined, string[], object, string]>([
    ['task.opened', 'task', ['name', 'type'], agent, bot.id],
    ['permission.requested', 'request', ['detail', 'justification', 'callbackUrl'], agent, bot.id],
    ['approval.asked', 'approval', ['task', 'reason', 'meta'], agent, bot.id],
    ['token.issued', 'token', ['details', 'audience'], { ...agent, ...client }, bot.id],
    ['token.issued', 'token', ['details', 'audience'], client, 'app'],
    [
      'grant.given',
      'grant',
      ['scope', 'redirectUri', 'challenge', 'nonce', 'audience', 'details'],
      client,
      'app',
    ],
    ['authorization.pushed', 'pushed', ['parameters'], client, 'app'],
    ['device.asked', 'device', ['scope'], client, 'app'],
    ['assertion.used', undefined, ['jti'], client, 'app'],
  ])('are counted for their owner: %s', (type, record, members, owner, name) => {
    for (const member of members) {
      const kept = keptBytesOf(eventWith(type, record, member, owner))

      expect(kept?.owner, member).toBe(name)
      expect(kept?.bytes, member).toBeGreaterThanOrEqual(1000)
    }
    expect(keptBytesOf(eventWith(type, record, 'other', owner))?.bytes).toBeLessThan(200)
  })

  it('are not counted for other events', () => {
    expect(keptBytesOf({ type: 'task.completed', taskId: text })).toBeUndefined()
  })
})

describe('the share of a caller', () => {
  const bytes = sizeOf([text, undefined])
  const task = (agentId: string) => eventWith('task.opened', 'task', 'name', { agentId })
  const sharing = (limits: object) => world({ policy: { limits } }).state

  it('is reached exactly by the last byte, also of several events together', () => {
    const state = sharing({ bytes_per_agent: 2 * bytes })

    refuseBeyondShare(state, [task(bot.id), task(bot.id), task(stranger.id), task(stranger.id)])
    expect(refusalOf(() => refuseBeyondShare(state, Array(3).fill(task(bot.id))))).toEqual({
      error: 'limit_reached',
      what: 'bytes stored for one agent',
      limit: 2 * bytes,
    })
  })

  it('includes what is stored already', () => {
    const state = sharing({ bytes_per_agent: 2 * bytes })
    countKept(state, task(bot.id))

    refuseBeyondShare(state, [task(bot.id)])
    expect(refusalOf(() => refuseBeyondShare(state, [task(bot.id), task(bot.id)]))?.error).toBe(
      'limit_reached',
    )
  })

  it('is limited for the tenant, too', () => {
    const state = sharing({ bytes_per_tenant: 3 * bytes })
    countKept(state, task(bot.id))

    refuseBeyondShare(state, [task(bot.id), task(stranger.id)])
    expect(
      refusalOf(() => refuseBeyondShare(state, [task(bot.id), task(stranger.id), task('third')])),
    ).toEqual({
      error: 'limit_reached',
      what: 'bytes stored for one tenant',
      limit: 3 * bytes,
    })
  })

  it('does not refuse what stores no texts', () => {
    const state = sharing({ bytes_per_agent: bytes })
    countKept(state, task(bot.id))
    countKept(state, task(bot.id))

    const ended: Event = { type: 'task.completed', taskId: 'task_1' }
    expect(refusalOf(() => refuseBeyondShare(state, [ended]))).toBeUndefined()
  })

  it('is free again after the record is deleted', () => {
    const state = sharing({})
    countKept(state, task(bot.id))
    countKept(state, task(bot.id))
    countKept(state, task(bot.id), -1)

    expect([state.keptBytes, state.keptBytesBy.get(bot.id)]).toEqual([bytes, bytes])
    countKept(state, task(bot.id), -1)
    expect([state.keptBytes, state.keptBytesBy.has(bot.id)]).toEqual([0, false])
  })
})
