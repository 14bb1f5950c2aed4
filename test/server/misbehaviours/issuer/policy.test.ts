import { afterAll, describe, expect, it } from 'vitest'
import { policyMisbehaviours } from '../../../../server/misbehaviours/issuer/policy.ts'
import { misbehavingHarness, type Probe, prove, read, remove, type World } from '../world.ts'

const { harness, tenant } = await misbehavingHarness()
afterAll(() => harness.close())

const wonder = (world: World, detail = remove, more: object = {}) =>
  world.control.post('/policy/decide').send({ authorization_details: detail, ...more })

const eventsOf = async (world: World): Promise<string[]> =>
  (await world.control.get('/journal')).body.entries.map(({ type }: { type: string }) => type)

describe('an issuer that misbehaves at /policy/decide', () => {
  const probes: Readonly<Record<string, Probe>> = {
    'issuer-makes-what-is-hypothetical': [
      async (world) => {
        const before = (await eventsOf(world)).length
        await wonder(world)
        return (await eventsOf(world)).slice(before)
      },
      [],
      ['task.opened', 'permission.requested'],
    ],
    'issuer-would-approve-everything': [
      async (world) => (await wonder(world)).body.status,
      'pending',
      'approved',
    ],
    'issuer-would-see-no-risk': [
      async (world) => (await wonder(world)).body.explanation.risk_level,
      'high',
      'low',
    ],
    'issuer-would-forget-the-past': [
      async (world) => {
        const agent = await world.login()
        const task = await world.open(agent)
        await world.ask(agent, task)
        const { body } = await wonder(world, read(), { task_id: task })
        return body.explanation.inputs.score
      },
      1,
      0,
    ],
    'issuer-hides-what-would-pass': [
      async (world) => {
        const detail = { ...remove, actions: ['read', 'delete'] }
        return (await wonder(world, detail)).body.explanation.would_pass
      },
      read(),
      undefined,
    ],
  }

  prove(policyMisbehaviours, probes, tenant)

  it('still rejects an invalid question', async () => {
    const world = tenant()
    await world.on('issuer-makes-what-is-hypothetical')

    expect((await world.control.post('/policy/decide').send({})).status).toBe(400)
    expect((await wonder(world, read(), { task_id: 'no-such-task' })).status).toBe(404)
  })
})

describe('other control plane routes', () => {
  it('work whatever the network misbehaviour before the seats is', async () => {
    const world = tenant()
    await world.on('network-unavailable')

    expect((await wonder(world)).status).toBe(200)
    expect((await world.pendingList('anything')).status).toBe(503)
  })
})
