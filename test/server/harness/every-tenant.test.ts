import { describe, expect, it } from 'vitest'
import type { Seed } from '../../../server/harness/harness.ts'
import { createHarness } from '../../../server/index.ts'
import { misbehaviours } from '../../../server/misbehaviours/catalogue.ts'
import { misbehaviourNames } from '../../../server/misbehaviours/names.ts'

const offline = { listen: false } as const

describe('createHarness({ everyTenant })', () => {
  const everyTenant: Seed = {
    dialect: { token_typ: 'JWT' },
    misbehave: ['issuer-wrong-typ'],
    policy: { rules: [{ name: 'nothing', risk: 'low', decision: 'deny' }] },
  }

  it('holds for tenants made later, over HTTP too', async () => {
    await using harness = await createHarness({ ...offline, everyTenant })
    const asked = async (path: string) => {
      const response = await harness.handle(
        new Request(`${harness.issuer}/_harness/tenants/${path}`, {
          headers: { authorization: `Bearer ${harness.controlToken}` },
        }),
      )
      return response.json()
    }
    harness.createTenant({ tenant: 'in-process' })
    const made = await harness.handle(
      new Request(`${harness.issuer}/_harness/tenants`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${harness.controlToken}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ tenant: 'over-http' }),
      }),
    )

    expect(made.status).toBe(201)
    for (const tenant of ['in-process', 'over-http']) {
      expect(await asked(`${tenant}/misbehaviours`)).toMatchObject({
        active: [{ name: 'issuer-wrong-typ' }],
      })
      expect(await asked(`${tenant}/dialect`)).toMatchObject({ token_typ: 'JWT' })
      expect(await asked(`${tenant}/policy`)).toMatchObject({ rules: [{ name: 'nothing' }] })
    }
  })

  it('gives way to what the seed of a tenant says', async () => {
    await using harness = await createHarness({ ...offline, everyTenant })
    const tenant = harness.createTenant({
      policy: { rules: [{ name: 'its own', risk: 'low', decision: 'approve' }] },
    })

    const seeded = tenant.journal().find((it) => it.type === 'policy.replaced')

    expect(seeded).toMatchObject({ policy: { rules: [{ name: 'its own' }] } })
  })

  it('refuses an unknown misbehaviour at once', async () => {
    await expect(
      createHarness({ ...offline, everyTenant: { misbehave: ['issuer-wrong-tip'] } }),
    ).rejects.toThrow(
      'misbehave: unknown misbehaviour: issuer-wrong-tip; did you mean issuer-wrong-typ?',
    )
  })
})

describe('createTenant', () => {
  it('refuses an unknown misbehaviour at once', async () => {
    await using harness = await createHarness(offline)

    expect(() => harness.createTenant({ misbehave: ['network-unavailble'] })).toThrow(
      'misbehave: unknown misbehaviour: network-unavailble; did you mean network-unavailable?',
    )
  })

  it('refuses a second tenant of the same name, unless it is to replace the first', async () => {
    await using harness = await createHarness({ ...offline, tenants: [{ tenant: 'acme' }] })

    expect(() => harness.createTenant({ tenant: 'acme' })).toThrow(
      'there is already a tenant acme; createTenant(seed, { replace: true }) deletes it first',
    )
    const second = harness.createTenant({ tenant: 'acme' }, { replace: true })
    expect(second.tenant).toBe('acme')
  })

  it('refuses two tenants of one name among those it begins with', async () => {
    await expect(
      createHarness({ ...offline, tenants: [{ tenant: 'acme' }, { tenant: 'acme' }] }),
    ).rejects.toThrow('tenants: two tenants are called acme')
  })
})

it('knows the name of every misbehaviour without its code', () => {
  expect(misbehaviourNames).toEqual(misbehaviours.map(({ name }) => name))
})
