import { describe, expect, it } from 'vitest'
import {
  acknowledge,
  createStream,
  deleteStream,
  knownEvents,
  verifyStream,
} from '../../../server/issuer/signals.ts'
import { revokeToken } from '../../../server/issuer/tokens.ts'
import { deleting, errorOf, reading, stranger, world } from './world.ts'

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

describe('a stream', () => {
  it('is unknown to everybody but its owner', () => {
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

  it('is one of a few for each client', () => {
    const here = world({ policy: { limits: { streams_per_client: 1 } } })
    streaming(here)

    expect(errorOf(() => streaming(here))).toBe('limit_reached')
    streaming(here, { clientId: 'other' })
  })

  it('hears one session-revoked for a task that ends, and nothing of each of its tokens', () => {
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

  it('hears why a task was suspended, and of the tasks below it first', () => {
    const { open, request, deny, waiting } = streaming()
    const parent = open()
    const child = open({ parentTaskId: parent.id })
    for (const name of ['a', 'b', 'c']) deny(request(parent.id, deleting(name)).id)

    expect(waiting()).toMatchObject([
      { about: { taskId: child.id }, by: 'policy', reason: '3 requests were denied' },
      { about: { taskId: parent.id }, by: 'policy' },
    ])
  })

  it('hears of one revoked JIT token that its claims have changed', () => {
    const { open, request, exchange, tenant, waiting } = streaming()
    const { jti, clientId } = exchange(request(open().id, reading()).id)

    tenant.run(revokeToken, { jti, clientId })

    expect(waiting()).toMatchObject([{ event: 'token-claims-change', about: { tokenId: jti } }])
  })

  it('of an agent hears of that agent only', () => {
    const { open, complete, waiting } = streaming(world(), {
      clientId: stranger.clientId,
      agentId: stranger.id,
    })
    complete(open().id)
    complete(open({ agentId: stranger.id }).id, stranger)

    expect(waiting()).toHaveLength(1)
  })

  it('hears only what it asked for', () => {
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

  it('keeps what is not acknowledged, and no more than a thousand', () => {
    const { open, complete, waiting, tenant, stream, state } = streaming()
    for (let times = 0; times < 1005; times += 1) complete(open().id)
    const [first] = waiting()

    tenant.run(acknowledge, { ...rs, streamId: stream.id, jtis: [first?.jti ?? '', 'unknown'] })

    expect(waiting()).toHaveLength(999)
    expect(waiting()).not.toContain(first)
    expect(state.streams.get(stream.id)?.dropped).toBe(5)
  })

  it('takes a few verifications at a time', () => {
    const { tenant, stream, waiting } = streaming()
    const verify = () => tenant.run(verifyStream, { ...rs, streamId: stream.id, state: 'abc' })
    for (let times = 0; times < 10; times += 1) verify()

    expect(errorOf(verify)).toBe('limit_reached')
    expect(waiting()[0]).toMatchObject({ event: 'verification', state: 'abc' })
  })

  it('is gone when it is deleted', () => {
    const { tenant, stream, state } = streaming()

    tenant.run(deleteStream, { ...rs, streamId: stream.id })

    expect(state.streams.size).toBe(0)
  })
})
