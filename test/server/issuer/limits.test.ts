import { describe, expect, it } from 'vitest'
import { askApproval } from '../../../server/issuer/approvals.ts'
import type { Client } from '../../../server/issuer/event.ts'
import { useAssertion } from '../../../server/issuer/oauth/clients.ts'
import { askForDevice, denyDevice, deviceLifetime } from '../../../server/issuer/oauth/devices.ts'
import {
  codeLifetime,
  giveGrant,
  pushLifetime,
  pushRequest,
  redeemCode,
  refresh,
  refreshLifetime,
} from '../../../server/issuer/oauth/grants.ts'
import { registerAgent } from '../../../server/issuer/oauth/registration.ts'
import { accessTokenLifetime, issueClientToken } from '../../../server/issuer/oauth/tokens.ts'
import { alice, bot, errorOf, exporting, reading, refusalOf, stranger, world } from './world.ts'

/** A tenant whose only client has registered itself. */
const selfRegistered = (limits: object) => {
  const { tenant } = world({ policy: { limits } })
  let acts = 0
  const client: Client = {
    clientId: 'app',
    name: 'App',
    capabilities: ['openid'],
    selfRegistered: true,
  }
  tenant.happen([{ type: 'client.registered', client }])
  const codeHash = () => `code ${++acts}`
  return {
    consent: () =>
      tenant.run(giveGrant, {
        clientId: 'app',
        userId: alice.id,
        scope: 'openid',
        codeHash: codeHash(),
        redirectUri: 'https://app.test/cb',
      }),
    device: () => tenant.run(askForDevice, { client, codeHash: codeHash(), userCode: 'CODE' }),
    push: () => tenant.run(pushRequest, { uri: codeHash(), clientId: 'app', parameters: {} }),
    token: () => tenant.run(issueClientToken, { client }),
  }
}
type SelfRegistered = ReturnType<typeof selfRegistered>

describe('limit_reached: one caller may have a limited number of', () => {
  it('nested tasks', () => {
    const { open } = world({ policy: { limits: { task_depth: 3 } } })
    const [a, b, c] = [0, 1, 2].reduce<string[]>(
      (above) => [...above, open(above.length ? { parentTaskId: above.at(-1) } : {}).id],
      [],
    )

    expect(refusalOf(() => open({ parentTaskId: c }))).toMatchObject({
      error: 'limit_reached',
      limit: 3,
    })
    open({ parentTaskId: b })
    open({ parentTaskId: a })
  })

  it('active tasks of one agent; ended tasks do not count', () => {
    const { open, complete, clock } = world({ policy: { limits: { tasks_per_agent: 2 } } })
    const first = open()
    open()

    expect(errorOf(() => open())).toBe('limit_reached')
    open({ agentId: stranger.id })
    complete(first.id)
    open()
    expect(errorOf(() => open())).toBe('limit_reached')
    clock.advance(3600)
    open()
  })

  it('requests in one task, and requests that wait for a person', () => {
    const policy = {
      limits: { requests_per_task: 4, pending_per_task: 2 },
      scoring: { critical: 0, low: 0 },
    }
    const { open, request, clock } = world({ policy })
    const task = open()
    for (const name of ['a', 'b']) request(task.id, exporting(name))

    expect(refusalOf(() => request(task.id, exporting('c')))).toEqual({
      error: 'limit_reached',
      what: 'pending requests within one task',
      limit: 2,
    })
    clock.advance(300)
    for (const name of ['c', 'd']) request(task.id, exporting(name))
    expect(refusalOf(() => request(task.id, reading()))).toEqual({
      error: 'limit_reached',
      what: 'requests within one task',
      limit: 4,
    })
  })

  it('requests of this task that wait for a person, whatever waits in others', () => {
    const policy = { limits: { pending_per_task: 2 }, scoring: { critical: 0 } }
    const { open, request } = world({ policy })
    const task = open()
    for (const name of ['a', 'b']) request(task.id, exporting(name))

    expect(request(open().id, exporting('c')).id).toBeDefined()
    expect(errorOf(() => request(task.id, exporting('c')))).toBe('limit_reached')
  })

  it('waiting requests of one agent over all its tasks', () => {
    const policy = { limits: { pending_per_agent: 2 }, scoring: { critical: 0 } }
    const { open, request, deny, clock } = world({ policy })
    const [first] = ['a', 'b'].map((name) => request(open().id, exporting(name)))

    expect(refusalOf(() => request(open().id, exporting('c')))).toEqual({
      error: 'limit_reached',
      what: 'pending requests of one agent',
      limit: 2,
    })
    const theirs = open({ agentId: stranger.id })
    request(theirs.id, exporting('c'), { agentId: stranger.id })
    deny(first?.id ?? '')
    request(open().id, exporting('c'))
    expect(errorOf(() => request(open().id, exporting('d')))).toBe('limit_reached')
    clock.advance(300)
    request(open().id, exporting('d'))
  })

  it('waiting requests and bytes of an agent, together with the agents it registered', () => {
    const note = 'x'.repeat(400)
    const limits = { pending_per_agent: 2, bytes_per_agent: 1000 }
    const { tenant, open, request } = world({ policy: { limits, scoring: { critical: 0 } } })
    const order = { by: { agent: bot }, name: 'helper', secretHash: '' }
    const [{ agent: helper }] = tenant.run(registerAgent, order)
    const [{ agent: next }] = tenant.run(registerAgent, {
      ...order,
      by: { agent: helper },
      name: 'next',
    })
    const asking = ({ id: agentId }: { id: string }, more = {}) =>
      request(open({ agentId }).id, exporting(`${agentId} ${Object.keys(more)}`), {
        agentId,
        ...more,
      })
    asking(bot, { justification: note })
    asking(helper)

    expect(refusalOf(() => asking(next))).toMatchObject({ what: 'pending requests of one agent' })
    open({ agentId: helper.id, name: note })
    expect(refusalOf(() => open({ agentId: next.id, name: note }))).toMatchObject({
      what: 'bytes stored for one agent',
    })
    asking(stranger, { justification: note })
  })

  it('unanswered push approvals of one agent', () => {
    const { tenant, clock } = world({ policy: { limits: { approvals_per_agent: 1 } } })
    const order = { agentId: bot.id, task: 't', reason: 'r', impact: 'low', onBehalfOf: alice.id }
    tenant.run(askApproval, { ...order, impact: 'low' })

    expect(errorOf(() => tenant.run(askApproval, { ...order, impact: 'low' }))).toBe(
      'limit_reached',
    )
    clock.advance(120)
    tenant.run(askApproval, { ...order, impact: 'low' })
  })

  it('waiting device codes of one client; answered and expired ones do not count', () => {
    const { tenant, clock } = world({ policy: { limits: { devices_per_client: 2 } } })
    const ask = (codeHash: string, client: Client = bot) =>
      tenant.run(askForDevice, { client, codeHash, userCode: codeHash })
    ask('a')
    ask('b')

    expect(refusalOf(() => ask('c'))).toEqual({
      error: 'limit_reached',
      what: 'waiting device codes of one client',
      limit: 2,
    })
    ask('c', stranger)
    tenant.run(denyDevice, { codeHash: 'a' })
    ask('d')
    expect(errorOf(() => ask('e'))).toBe('limit_reached')
    clock.advance(deviceLifetime)
    ask('e')
  })

  it.each([
    ['grants', (it: SelfRegistered) => it.consent()],
    ['grants', (it: SelfRegistered) => it.device()],
    ['pushed_requests', (it: SelfRegistered) => it.push()],
    ['tokens', (it: SelfRegistered) => it.token()],
  ] as const)(
    '%s of all self-registered clients together: a tenth of the limit (%#)',
    (name, act) => {
      const here = selfRegistered({ [name]: 15 })
      act(here)
      act(here)

      expect(refusalOf(() => act(here))).toEqual({
        error: 'limit_reached',
        what: `${name.replace('_', ' ')} of self-registered clients`,
        limit: 2,
      })
    },
  )

  it('agents', () => {
    const { tenant } = world({ policy: { limits: { agents: 2 } } })
    const order = { by: { agent: bot }, name: 'x', clientId: 'x', secretHash: '' }

    expect(errorOf(() => tenant.run(registerAgent, order))).toBe('limit_reached')
  })
})

describe('limit_reached: until it expires, a tenant keeps a limited number of', () => {
  type World = ReturnType<typeof world>
  const consent = ({ tenant }: World, codeHash: string) =>
    tenant.run(giveGrant, {
      clientId: bot.clientId,
      userId: alice.id,
      scope: 'openid',
      codeHash,
      redirectUri: 'https://app.test/cb',
    })

  it.each<[string, object, (here: World, nth: string) => unknown, number]>([
    ['tasks', { tasks: 2 }, ({ open }) => open(), 3600 + 3600],
    [
      'tokens',
      { tokens: 2 },
      ({ tenant }) => tenant.run(issueClientToken, { client: bot }),
      accessTokenLifetime,
    ],
    ['grants', { grants: 2 }, consent, codeLifetime],
    [
      'pushed requests',
      { pushed_requests: 2 },
      ({ tenant }, uri) => tenant.run(pushRequest, { uri, clientId: 'app', parameters: {} }),
      pushLifetime,
    ],
    [
      'device authorizations',
      { grants: 2 },
      ({ tenant }, codeHash) =>
        tenant.run(askForDevice, { client: bot, codeHash, userCode: codeHash }),
      deviceLifetime + 3600,
    ],
    [
      'client assertions',
      { assertions: 2 },
      ({ tenant, clock }, jti) =>
        tenant.run(useAssertion, { clientId: 'app', jti, expiresAt: clock.now() + 60 }),
      60,
    ],
  ])('%s', (what, limits, grow, lifetime) => {
    const here = world({ policy: { limits } })
    grow(here, 'a')
    grow(here, 'b')

    expect(refusalOf(() => grow(here, 'c'))).toEqual({ error: 'limit_reached', what, limit: 2 })
    here.clock.advance(lifetime + 120)
    grow(here, 'd')
  })

  it('bytes of one agent, without affecting other agents', () => {
    const here = world({ policy: { limits: { bytes_per_agent: 1000 } } })
    const { tenant, open, request, clock } = here
    const task = open()
    const note = 'x'.repeat(400)
    request(task.id, { ...reading(), note })
    request(task.id, reading(), { justification: note })

    expect(refusalOf(() => request(task.id, { ...reading(), note }))).toEqual({
      error: 'limit_reached',
      what: 'bytes stored for one agent',
      limit: 1000,
    })
    expect(errorOf(() => open({ name: note }))).toBe('limit_reached')
    const theirs = open({ agentId: stranger.id, name: note })
    request(theirs.id, { ...reading(), note }, { agentId: stranger.id })
    expect(tenant.state.keptBytesBy.get(bot.id)).toBeLessThanOrEqual(1000)
    clock.advance(2 * 3600 + 120)
    request(open().id, { ...reading(), note })
  })

  it('bytes of all agents together', () => {
    const { open } = world({ policy: { limits: { bytes_per_tenant: 1000 } } })
    open({ name: 'x'.repeat(600) })

    expect(refusalOf(() => open({ agentId: stranger.id, name: 'x'.repeat(600) }))).toEqual({
      error: 'limit_reached',
      what: 'bytes stored for one tenant',
      limit: 1000,
    })
  })

  it('bytes, which are free again once everything has expired', () => {
    const here = world()
    const { tenant, open, request, clock } = here
    request(open({ name: 'a task' }).id, exporting(), { justification: 'to see' })
    tenant.run(issueClientToken, { client: bot })
    tenant.run(pushRequest, { uri: 'u', clientId: 'app', parameters: { scope: 'openid' } })
    tenant.run(useAssertion, { clientId: 'app', jti: 'a b', expiresAt: clock.now() + 60 })
    const order = { agentId: bot.id, task: 't', reason: 'r', onBehalfOf: alice.id }
    tenant.run(askApproval, { ...order, impact: 'low', meta: { a: ['b', 1, null] } })
    consent(here, 'code')
    expect(tenant.state.keptBytes).toBeGreaterThan(100)

    clock.advance(86_400)
    open({ agentId: stranger.id })

    expect(tenant.state.keptBytesBy).toEqual(new Map([[stranger.id, tenant.state.keptBytes]]))
  })

  it('requests over all tasks', () => {
    const { open, request, clock } = world({ policy: { limits: { requests: 2 } } })
    for (const { id } of [open(), open()]) request(id, reading())

    expect(errorOf(() => request(open().id, reading()))).toBe('limit_reached')
    clock.advance(2 * 3600 + 120)
    request(open().id, reading())
  })

  it('refresh tokens, used ones included', () => {
    const here = world({ policy: { limits: { refresh_tokens: 2 } } })
    const redirectUri = 'https://app.test/cb'
    const used = (usedHash: string, refreshHash: string) =>
      here.tenant.run(refresh, { client: bot, usedHash, refreshHash })
    consent(here, 'code')
    here.tenant.run(redeemCode, { client: bot, codeHash: 'code', redirectUri, refreshHash: 'a' })
    used('a', 'b')

    expect(errorOf(() => used('b', 'c'))).toBe('limit_reached')
    here.clock.advance(refreshLifetime - 120)
    expect(errorOf(() => used('b', 'c'))).toBe('limit_reached')
  })

  it('records; a command that exceeds a limit changes nothing', () => {
    const { tenant, open, request, exchange } = world({ policy: { limits: { tokens: 1 } } })
    const { id } = request(open().id, reading())
    tenant.run(issueClientToken, { client: bot })
    const before = tenant.journal.last

    expect(errorOf(() => exchange(id))).toBe('limit_reached')

    expect(tenant.journal.last).toBe(before)
    expect(tenant.state.tokens.size).toBe(1)
  })

  it('characters of an authorization detail, which must fit into a header with its token', () => {
    const { open, request } = world()
    const long = (length: number) => ({
      type: 'file_access',
      actions: ['read'],
      note: 'x'.repeat(length),
    })

    expect(errorOf(() => request(open().id, long(8192)))).toBe('invalid_authorization_details')
    request(open().id, long(8000))
  })
})
