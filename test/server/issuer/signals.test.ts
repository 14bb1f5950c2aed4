import { describe, expect, it } from 'vitest'
import { issueClientToken, revokeToken } from '../../../server/issuer/oauth/tokens.ts'
import {
  acknowledge,
  createStream,
  deleteStream,
  eventUri,
  knownEvents,
  verifyStream,
} from '../../../server/issuer/signals.ts'
import { stopTask, withdrawPermission } from '../../../server/issuer/withdraw.ts'
import { ada, bot, deleting, errorOf, reading, refusalOf, start, stranger, world } from './world.ts'

const rs = { clientId: 'documents-api' }

const streaming = (here = world(), receiver: { clientId: string; agentId?: string } = rs) => {
  const [{ stream }] = here.tenant.run(createStream, {
    ...receiver,
    issuer: 'https://lumo.test',
    audience: ['https://api.test'],
    requested: knownEvents,
  })
  const waiting = () => here.state.streams.get(stream.id)?.waiting ?? []
  return { ...here, stream, waiting }
}

describe('a signal stream', () => {
  it('is not found for another client', () => {
    const { stream, tenant } = streaming()
    const streamId = stream.id

    for (const rule of [deleteStream, verifyStream]) {
      expect(errorOf(() => tenant.run(rule, { clientId: 'other', streamId }))).toBe(
        'unknown_stream',
      )
    }
    expect(errorOf(() => tenant.run(acknowledge, { clientId: 'other', streamId, jtis: [] }))).toBe(
      'unknown_stream',
    )
    expect(errorOf(() => tenant.run(deleteStream, { ...rs, streamId: 'ssf_x' }))).toBe(
      'unknown_stream',
    )
  })

  it('is refused with limit_reached above the streams one client may have', () => {
    const here = world({ policy: { limits: { streams_per_client: 1 } } })
    streaming(here)

    expect(errorOf(() => streaming(here))).toBe('limit_reached')
    streaming(here, { clientId: 'other' })
  })

  it('gets one session-revoked for a task that ends, and no event for each of its tokens', () => {
    const { open, request, exchange, complete, waiting } = streaming()
    const task = open()
    exchange(request(task.id, reading()).id)

    complete(task.id)

    expect(waiting()).toMatchObject([
      {
        event: 'session-revoked',
        about: { taskId: task.id, caepSessionId: task.caepSessionId },
        by: 'system',
      },
    ])
  })

  it('gets the reason a task was suspended for, tasks below it first', () => {
    const { open, request, deny, waiting } = streaming()
    const parent = open()
    const child = open({ parentTaskId: parent.id })
    for (const name of ['a', 'b', 'c']) deny(request(parent.id, deleting(name)).id)

    expect(waiting()).toMatchObject([
      { about: { taskId: child.id }, by: 'policy', reason: '3 requests were denied' },
      { about: { taskId: parent.id }, by: 'policy' },
    ])
  })

  it('gets token-claims-change for one revoked JIT token', () => {
    const { open, request, exchange, tenant, waiting } = streaming()
    const { jti, clientId } = exchange(request(open().id, reading()).id)

    tenant.run(revokeToken, { jti, clientId })

    expect(waiting()).toMatchObject([{ event: 'token-claims-change', about: { tokenId: jti } }])
  })

  it('names an approver as admin when one withdraws a permission or stops a task', () => {
    const { open, request, exchange, tenant, waiting } = streaming()
    const task = open()
    const { requestId = '' } = exchange(request(task.id, reading()).id)

    tenant.run(withdrawPermission, { requestId, userId: ada.id })
    tenant.run(stopTask, { taskId: task.id, userId: ada.id })

    expect(waiting()).toMatchObject([
      { event: 'token-claims-change', by: 'admin' },
      { event: 'session-revoked', by: 'admin', reason: 'an approver ended the task' },
    ])
  })

  it('names the policy when it suspends a task', () => {
    const { open, request, deny, waiting } = streaming()
    const task = open()
    for (const name of ['a', 'b', 'c']) deny(request(task.id, deleting(name)).id)

    expect(waiting()).toMatchObject([{ event: 'session-revoked', by: 'policy' }])
  })

  it('with an agentId gets events of that agent only', () => {
    const { open, complete, waiting } = streaming(world(), {
      clientId: stranger.clientId,
      agentId: stranger.id,
    })
    complete(open().id)
    complete(open({ agentId: stranger.id }).id, stranger)

    expect(waiting()).toHaveLength(1)
  })

  it('gets session-revoked for a token its client revoked, with by and reason', () => {
    const { tenant, waiting } = streaming()
    const [{ token }] = tenant.run(issueClientToken, { client: bot })

    tenant.run(revokeToken, { jti: token.jti, clientId: token.clientId })
    const [{ token: other }] = tenant.run(issueClientToken, { client: bot })
    tenant.happen([{ type: 'token.revoked', jti: other.jti, reason: 'grant_revoked' }])

    expect(waiting()).toMatchObject([
      {
        event: 'session-revoked',
        about: { tokenId: token.jti, sub: token.sub },
        by: 'user',
        reason: 'the token was revoked: revoked_by_client',
      },
      { by: 'system', reason: 'the token was revoked: grant_revoked' },
    ])
  })

  it('gets one session-revoked for a suspended task, and no event for each of its tokens', () => {
    const { open, request, exchange, deny, waiting } = streaming()
    const task = open()
    exchange(request(task.id, reading()).id)

    for (const name of ['a', 'b', 'c']) deny(request(task.id, deleting(name)).id)

    expect(waiting()).toMatchObject([{ event: 'session-revoked', by: 'policy' }])
  })

  it('uses the event URIs of CAEP and SSF', () => {
    expect(knownEvents).toEqual([
      'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
      'https://schemas.openid.net/secevent/caep/event-type/token-claims-change',
    ])
    expect(eventUri('verification')).toBe(
      'https://schemas.openid.net/secevent/ssf/event-type/verification',
    )
  })

  it('gets only the events it requested', () => {
    const here = world()
    const [{ stream }] = here.tenant.run(createStream, {
      ...rs,
      issuer: 'https://lumo.test',
      audience: ['x'],
      requested: [knownEvents[1] ?? '', 'https://example.com/unknown'],
    })
    here.complete(here.open().id)

    expect(stream.events).toEqual([knownEvents[1]])
    expect(here.state.streams.get(stream.id)?.waiting).toEqual([])
  })

  it('keeps unacknowledged events, at most 1,000', () => {
    const { open, complete, waiting, tenant, stream, state } = streaming()
    for (let times = 0; times < 1005; times += 1) complete(open().id)
    const [first] = waiting()

    tenant.run(acknowledge, { ...rs, streamId: stream.id, jtis: [first?.jti ?? '', 'unknown'] })

    expect(waiting()).toHaveLength(999)
    expect(waiting()).not.toContain(first)
    expect(state.streams.get(stream.id)?.dropped).toBe(5)
  })

  it('limits the number of waiting verification events', () => {
    const { tenant, stream, waiting } = streaming()
    const verify = () => tenant.run(verifyStream, { ...rs, streamId: stream.id, state: 'abc' })
    for (let times = 0; times < 10; times += 1) verify()

    expect(refusalOf(verify)).toEqual({
      error: 'limit_reached',
      what: 'undelivered verifications',
      limit: 10,
    })
    expect(waiting()[0]).toMatchObject({ event: 'verification', state: 'abc' })
  })

  it('is verified with the state of the receiver, even when its queue is full', () => {
    const { open, complete, tenant, stream, waiting } = streaming()
    for (let times = 0; times < 12; times += 1) complete(open().id)

    const events = tenant.run(verifyStream, { ...rs, streamId: stream.id })

    expect(events).toStrictEqual([{ type: 'stream.verified', streamId: stream.id }])
    const { jti: _, ...signal } = waiting().at(-1) ?? {}
    expect(signal).toStrictEqual({
      at: start,
      event: 'verification',
      about: { streamId: stream.id },
      by: 'system',
      reason: 'the receiver requested it',
    })
  })

  it('ignores acknowledgements of unknown events', () => {
    const { tenant, stream } = streaming()

    const events = tenant.run(acknowledge, { ...rs, streamId: stream.id, jtis: ['unknown'] })

    expect(events).toEqual([])
  })

  it('is not found after it is deleted', () => {
    const { tenant, stream, state } = streaming()

    tenant.run(deleteStream, { ...rs, streamId: stream.id })

    expect(state.streams.size).toBe(0)
  })
})
