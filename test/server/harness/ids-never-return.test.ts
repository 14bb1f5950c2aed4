import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHarness, type Harness } from '../../../server/index.ts'

let harness: Harness
let now = 1_790_000_000
beforeAll(async () => {
  harness = await createHarness({ listen: false, algorithm: 'ES256', now: () => now })
})
afterAll(() => harness.close())

const seed = { seed: 7, agents: [{ name: 'first' }, { name: 'second' }] }

type Created = ReturnType<Harness['createTenant']>

const tokenOf = async ({ urls, agents }: Created, index: number): Promise<string> => {
  const { client_id = '', client_secret = '' } = agents[index] ?? {}
  const response = await harness.fetch(`${urls.tenant}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret }),
  })
  return ((await response.json()) as { access_token: string }).access_token
}

const openTask = ({ urls }: Created, token: string) =>
  harness.fetch(`${urls.tenant}/jit/task`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
  })

/** Ends the tenant that the ids of a seed belong to. */
const endings: Readonly<Record<string, (tenant: Created) => Created | Promise<Created>>> = {
  'a reset': (tenant) => {
    tenant.reset()
    return tenant
  },
  'a reset with other seeds': (tenant) => {
    tenant.reset({ ...seed, agents: [{ name: 'first' }, { name: 'second' }, { name: 'third' }] })
    return tenant
  },
  'its deletion, when one is created in its place': async (tenant) => {
    const response = await harness.fetch(`${harness.issuer}/_harness/tenants/${tenant.tenant}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${harness.controlToken}` },
    })
    expect(response.status).toBe(204)
    return harness.createTenant({ ...seed, tenant: tenant.tenant })
  },
}

describe('a token of a tenant with seeded ids', () => {
  it.each(Object.entries(endings))('gets 401 after %s', async (name, end) => {
    const before = harness.createTenant({ ...seed, tenant: `t-${name.length}` })
    const old = [await tokenOf(before, 0), await tokenOf(before, 1)]
    for (const token of old) expect((await openTask(before, token)).status).toBe(201)

    now += 1
    const after = await end(before)
    const fresh = [await tokenOf(after, 0), await tokenOf(after, 1)]

    for (const token of old) expect((await openTask(after, token)).status).toBe(401)
    for (const token of fresh) expect((await openTask(after, token)).status).toBe(201)
  })

  it('gets 401 at a tenant of the same seed and the same issuer', async () => {
    const make = (tenant: string) =>
      harness.createTenant({ ...seed, tenant, dialect: { issuer: 'origin' } })
    const [one, two] = [make('one'), make('two')]

    // In the second tenant, the same jti belongs to another agent, then to the same one.
    const tokens = [await tokenOf(one, 0), await tokenOf(one, 0)]
    await tokenOf(two, 1)
    await tokenOf(two, 0)

    for (const token of tokens) expect((await openTask(two, token)).status).toBe(401)
    expect((await openTask(one, tokens[0] ?? '')).status).toBe(201)
  })

  it('has the same ids in another harness', async () => {
    const other = await createHarness({ listen: false, algorithm: 'ES256' })
    try {
      const [one, two] = [harness, other].map((it) => it.createTenant({ ...seed, tenant: 'same' }))
      expect(one?.agents).toEqual(two?.agents)
    } finally {
      await other.close()
    }
  })
})
