import { afterAll, describe, expect, it } from 'vitest'
import { createHarness } from '../../../server/harness/harness.ts'
import type { Misbehaviour } from '../../../server/http/misbehave.ts'
import { misbehaviours } from '../../../server/misbehaviours/catalogue.ts'
import { bearer } from '../../support/signed-in.ts'
import { misbehavingHarness } from '../misbehaviours/world.ts'

const { harness, server, tenant } = await misbehavingHarness()
afterAll(() => harness.close())

describe('the catalogue of misbehaviours', () => {
  it('has unique names, each beginning with its seat', () => {
    const names = misbehaviours.map(({ name }) => name)

    expect(new Set(names).size).toBe(names.length)
    for (const { name, seat } of misbehaviours) expect(name.split('-', 1)[0]).toBe(seat)
  })

  it('describes each in one sentence', () => {
    for (const { says } of misbehaviours) expect(says).toMatch(/^[A-Za-z][^\n]*\.$/)
  })

  it('is listed by the control plane with the rules each one breaks', async () => {
    const world = tenant()

    const { body } = await world.control.get('/misbehaviours')

    expect(body.known).toHaveLength(misbehaviours.length)
    expect(body.known).toContainEqual({
      name: 'issuer-exchanges-twice',
      seat: 'issuer',
      says: 'A second exchange of one approval returns a token with another jti.',
      breaks: 'THR-08',
      routes: ['jit.request.token'],
    })
  })
})

describe('enabling a misbehaviour', () => {
  it('is refused for an unknown name', async () => {
    const { status, body } = await tenant().on('issuer-is-kind')

    expect(status).toBe(400)
    expect(body.error_description).toContain('unknown misbehaviour: issuer-is-kind')
  })

  it('suggests the closest name', async () => {
    const { body } = await tenant().on('issuer-exchange-twice')

    expect(body.error_description).toContain('did you mean issuer-exchanges-twice?')
  })

  it('is refused above one hundred, until they are disabled', async () => {
    const world = tenant()
    for (let count = 0; count < 100; count += 1) {
      expect((await world.on('network-unavailable')).status).toBe(200)
    }

    const { status, body } = await world.on('network-unavailable')

    expect(status).toBe(429)
    expect(body).toMatchObject({ error: 'limit_reached', limit: 100 })
    await world.off()
    expect((await world.on('network-unavailable')).status).toBe(200)
  })

  it('lasts until it is disabled', async () => {
    const world = tenant()
    await world.on('network-unavailable')

    const during = [await info(world), await info(world)]
    await world.off()

    expect([...during, await info(world)]).toEqual([503, 503, 401])
  })

  it('lasts for `times` exchanges', async () => {
    const world = tenant()
    await world.on({ name: 'network-unavailable', times: 2 })

    expect([await info(world), await info(world), await info(world)]).toEqual([503, 503, 401])
  })

  it('begins at the nth exchange', async () => {
    const world = tenant()
    await world.on({ name: 'network-unavailable', nth: 2 })

    expect([await info(world), await info(world), await info(world)]).toEqual([401, 503, 401])
  })

  it('lasts for `times` exchanges from the nth on', async () => {
    const world = tenant()
    await world.on({ name: 'network-unavailable', nth: 2, times: 2 })

    const seen = [await info(world), await info(world), await info(world), await info(world)]
    expect(seen).toEqual([401, 503, 503, 401])
  })

  it('counts only exchanges of its route', async () => {
    const world = tenant()
    await world.on({ name: 'network-unavailable', times: 1, route: 'documents.read' })

    const seen = [await info(world), (await world.document('doc_open')).status]

    expect([...seen, (await world.document('doc_open')).status]).toEqual([401, 503, 401])
  })

  it('counts only exchanges of its seat', async () => {
    const world = tenant()
    await world.on({ name: 'network-unavailable', seat: 'api' })

    expect([await info(world), (await world.document('doc_open')).status]).toEqual([401, 503])
  })

  it('does not affect other tenants', async () => {
    const world = tenant()
    await world.on('network-unavailable')

    expect(await info(tenant())).toBe(401)
  })

  it('is undone by name while others stay enabled', async () => {
    const world = tenant()
    await world.on('network-unavailable')
    await world.on('issuer-omits-description')

    await world.control.delete('/misbehaviours?name=network-unavailable')

    const { body } = await world.control.get('/misbehaviours')
    expect(body.active).toEqual([{ name: 'issuer-omits-description' }])
  })

  it('again resets what it remembered', async () => {
    const world = tenant()
    await world.on('network-recovers')
    const first = [await info(world), await info(world), await info(world), await info(world)]

    await world.off()
    await world.on('network-recovers')

    expect([...first, await info(world)]).toEqual([503, 503, 503, 401, 503])
  })

  it('lets two apply at once, the newer around the older', async () => {
    const world = tenant()
    await world.on('issuer-omits-description')
    await world.on('issuer-ok-with-error')

    const answer = await world.anonymous.get('/oauth/userinfo')

    expect(answer.status).toBe(200)
    expect(answer.body).not.toHaveProperty('error_description')
  })

  it('combines what two of them change in the handler', async () => {
    const world = tenant()
    const { agent, id } = await world.pending({ on_behalf_of: 'approver@example.com' })
    const user = await world.user('approver@example.com')
    await world.on('issuer-allows-self-approval')
    await world.on('issuer-forgets-deny-reason')

    await world.decide('deny', user, id, { agent_message: 'not today' })

    const { body } = await world.status(agent, id)
    expect(body.status).toBe('denied')
    expect(body).not.toHaveProperty('deny_reason')
  })
})

describe('a tenant with misbehaviours in its seeds', () => {
  const anonymous = server.requests()
  const control = server.requests(harness.issuer, bearer(harness.controlToken))
  const made = async (...misbehave: (string | object)[]) =>
    (await control.post('/_harness/tenants').send({ misbehave })).body
  const answers = async ({ urls }: { urls: { tenant: string } }, times: number) => {
    const seen: number[] = []
    for (let time = 0; time < times; time += 1) {
      seen.push((await anonymous.get(`${urls.tenant}/oauth/userinfo`)).status)
    }
    return seen
  }

  it('is refused for an unknown name, and not created', async () => {
    const before = (await anonymous.get('/healthz')).body.tenants
    const refused = await made('network-unavailable', 'netwrok-reset')

    expect(refused.error_description).toBe(
      'misbehave: unknown misbehaviour: netwrok-reset; did you mean network-reset?',
    )
    const { body } = await anonymous.get('/healthz')
    expect(body.tenants).toBe(before)
  })

  it('misbehaves from its first exchange on, as often as the seeds say', async () => {
    const always = await made('network-unavailable')
    const next = await made({ name: 'network-unavailable', times: 2 })
    const third = await made({ name: 'network-unavailable', nth: 3 })

    expect(await answers(always, 4)).toEqual([503, 503, 503, 503])
    expect(await answers(next, 4)).toEqual([503, 503, 401, 401])
    expect(await answers(third, 4)).toEqual([401, 401, 503, 401])
  })

  it('counts concurrent exchanges, too', async () => {
    const next = await made({ name: 'network-unavailable', times: 2 })

    const seen = await Promise.all([1, 2, 3, 4].map(() => answers(next, 1)))

    expect(seen.flat().sort()).toEqual([401, 401, 503, 503])
  })

  it('lists them before its first exchange, and can disable each', async () => {
    const { tenant: slug, urls } = await made('network-unavailable', 'issuer-omits-description')

    const { body } = await control.get(`/_harness/tenants/${slug}/misbehaviours`)
    await control.delete(`/_harness/tenants/${slug}/misbehaviours?name=network-unavailable`)

    const names = body.active.map(({ name }: { name: string }) => name)
    expect(names).toEqual(['network-unavailable', 'issuer-omits-description'])
    const refused = await anonymous.get(`${urls.tenant}/oauth/userinfo`)
    expect(refused.status).toBe(401)
    expect(refused.body).not.toHaveProperty('error_description')
  })

  it('applies misbehaviours enabled later around them', async () => {
    const odd = await made('issuer-omits-description')
    await control
      .post(`/_harness/tenants/${odd.tenant}/misbehaviours`)
      .send({ name: 'issuer-ok-with-error' })

    const answer = await anonymous.get(`${odd.urls.tenant}/oauth/userinfo`)

    expect(answer.status).toBe(200)
    expect(answer.body).not.toHaveProperty('error_description')
  })

  it('misbehaves again after a reset', async () => {
    const next = await made({ name: 'network-unavailable', times: 1 })
    const before = await answers(next, 2)
    await control.post(`/_harness/tenants/${next.tenant}/reset`)

    expect([...before, ...(await answers(next, 2))]).toEqual([503, 401, 503, 401])
  })
})

describe('a harness', () => {
  it('refuses to start with an unknown misbehaviour in a tenant', async () => {
    const begun = createHarness({ listen: false, tenants: [{ misbehave: ['network-rest'] }] })

    await expect(begun).rejects.toThrow(
      'unknown misbehaviour: network-rest; did you mean network-reset?',
    )
  })

  it('refuses to create a tenant with an unknown misbehaviour', async () => {
    const strict = await createHarness({ listen: false })

    expect(() => strict.createTenant({ misbehave: ['network-rest'] })).toThrow(
      'unknown misbehaviour: network-rest; did you mean network-reset?',
    )
    await strict.close()
  })

  it('knows only the misbehaviours it was given', async () => {
    const own: Misbehaviour = {
      name: 'issuer-teapot',
      seat: 'issuer',
      says: 'Everything is a teapot.',
      breaks: 'LUMO-ERROR-STATUS',
      act: async () => ({ status: 418 }),
    }
    const { harness: small, tenant: openTenant } = await misbehavingHarness({
      misbehaviours: [own],
    })
    const world = openTenant()

    await world.on('issuer-teapot')

    expect(await info(world)).toBe(418)
    expect((await world.on('network-reset')).status).toBe(400)
    await small.close()
  })
})

const info = async (world: ReturnType<typeof tenant>) =>
  (await world.anonymous.get('/oauth/userinfo')).status
