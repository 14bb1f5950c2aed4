import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HarnessOptions } from '../../../server/index.ts'
import { noPostgres, Postgres } from '../../support/postgres.ts'
import { createWorld, users } from './world.ts'

const path = '/console/acme/policy/replay'
const reading = { type: 'file_access', actions: ['read'], identifier: 'doc_1' }
const exporting = { type: 'user_data', actions: ['export'], identifier: 'u_1' }
const asksAlways = `
rules:
  - { name: ask always, when: {}, risk: medium, decision: ask }
`

describe('a replay of a policy', () => {
  it('requires a session', async () => {
    await using world = await createWorld()

    await world.request
      .post(path)
      .set({ origin: world.origin })
      .send({ policy: asksAlways })
      .expect(401)
  })

  it('requires the CSRF token of the session', async () => {
    await using world = await createWorld()
    const { own } = await world.signedInAs('ada@example.com')

    await world.request
      .post(path)
      .set({ ...own, 'x-csrf-token': 'another' })
      .send({ policy: asksAlways })
      .expect(403)
  })

  it.each([
    ['rules: 7', /^policy:1:1: rules: Invalid input: expected array, received number$/],
    ['rulez: []', /^policy:1:1: unknown key "rulez"; did you mean "rules"\?/],
    ['rules: [', /^policy:1:9: /],
    [`[${',a'.repeat(20_000)}]`, /^policy:1:1: /],
  ])('rejects %j with its place', async (policy, message) => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')

    const { body } = await ada.request.post(path).send({ policy }).expect(400)

    expect(body.error_description).toMatch(message)
  })

  it('decides each decided request again, and changes nothing', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')
    await world.asked(reading)
    await world.asked(reading)
    const { requestId } = await world.asked(exporting)
    await world.asked({ ...exporting, identifier: 'not decided' })
    await ada.request.post(`/console/acme/requests/${requestId}/approve`).send({}).expect(200)
    const before = world.harness.tenants[0]?.journal().length

    const { body } = await ada.request.post(path).send({ policy: asksAlways }).expect(200)

    expect(body).toMatchObject({
      requests: 3,
      complete_from: expect.any(Number),
      days: [
        {
          day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
          before: { approve: 2, ask: 1, deny: 0 },
          after: { approve: 0, ask: 3, deny: 0 },
          spared: 0,
          given: 2,
        },
      ],
      changes: [
        {
          before: { decision: 'approve' },
          after: { rule: 'ask always', decision: 'ask' },
          count: 2,
          example: { agent: 'report-bot', authorization_details: reading },
        },
      ],
    })
    expect(world.harness.tenants[0]?.journal()).toHaveLength(before ?? 0)
  })

  it('of the default policy, an empty text, finds nothing decided otherwise', async () => {
    await using world = await createWorld()
    await world.asked(reading)
    const ada = await world.signedInAs('ada@example.com')

    const { body } = await ada.request.post(path).send({ policy: '' }).expect(200)

    expect(body).toMatchObject({ requests: 1, changes: [] })
  })

  it('of a tenant without requests is empty', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')

    const { body } = await ada.request.post(path).send({ policy: asksAlways }).expect(200)

    expect(body).toMatchObject({ requests: 0, days: [], changes: [] })
  })

  it('counts every day of the tenant’s clock', async () => {
    await using world = await createWorld()
    const [tenant] = world.harness.tenants
    await world.asked(reading)
    tenant?.clock.advance('P2D')
    await world.asked(reading)
    const ada = await world.signedInAs('ada@example.com')

    const { body } = await ada.request.post(path).send({ policy: asksAlways }).expect(200)

    expect(body.days).toHaveLength(2)
  })
})

const acme = { tenants: [{ tenant: 'acme', users }] }

describe('a replay from a journal file', () => {
  /** A file in a new folder, and worlds that open it. */
  const withJournal = async (journalOptions: HarnessOptions['journalOptions'] = {}) => {
    const folder = await mkdtemp(join(tmpdir(), 'lumoauth-replay-'))
    return {
      open: () => createWorld({ journal: join(folder, 'journal'), journalOptions, ...acme }),
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
    }
  }
  it('includes what an earlier process decided', async () => {
    await using journal = await withJournal()
    {
      await using world = await journal.open()
      await world.asked(reading)
    }
    await using world = await journal.open()
    await world.asked(reading)
    const ada = await world.signedInAs('ada@example.com')

    const { body } = await ada.request.post(path).send({ policy: asksAlways }).expect(200)

    expect(body).toMatchObject({ requests: 2, days: [{ given: 2 }] })
  })

  it('says from which time on it is complete, once a compaction has removed requests', async () => {
    await using journal = await withJournal({ newestEntries: 1, decidedRequests: 1 })
    let second = 0
    {
      await using world = await journal.open()
      const [tenant] = world.harness.tenants
      for (const each of [1, 2, 3]) {
        await world.asked(reading)
        if (each === 2) second = tenant?.clock.now() ?? 0
        tenant?.clock.advance('P1D')
      }
    }
    await using world = await journal.open()
    const ada = await world.signedInAs('ada@example.com')

    const { body } = await ada.request.post(path).send({ policy: asksAlways }).expect(200)

    expect(body).toMatchObject({ requests: 1, days: [{ given: 1 }] })
    expect(body.complete_from).toBeGreaterThan(second)
  })

  it('excludes another tenant, and the former tenant of the same name', async () => {
    await using journal = await withJournal()
    await using world = await journal.open()
    await world.asked(reading)
    await world.control.delete('/_harness/tenants/acme').expect(204)
    await world.control.post('/_harness/tenants').send({ tenant: 'acme', users }).expect(201)
    await world.control.post('/_harness/tenants').send({ tenant: 'other', users }).expect(201)
    const ada = await world.signedInAs('ada@example.com')

    const { body } = await ada.request.post(path).send({ policy: asksAlways }).expect(200)

    expect(body).toMatchObject({ requests: 0, days: [] })
  })
})

describe.skipIf(noPostgres)('a replay from PostgreSQL', () => {
  let postgres: Postgres
  beforeAll(async () => {
    postgres = await Postgres.start()
  }, 60_000)
  afterAll(() => postgres?.[Symbol.asyncDispose]())

  it('includes what an earlier process decided', async () => {
    const journal = postgres.createDatabase('replay')
    const open = () => createWorld({ journal, onWarning: () => {}, ...acme })
    {
      await using world = await open()
      await world.asked(reading)
    }
    await using world = await open()
    await world.asked(reading)
    const ada = await world.signedInAs('ada@example.com')

    const { body } = await ada.request.post(path).send({ policy: asksAlways }).expect(200)

    expect(body).toMatchObject({ requests: 2, days: [{ given: 2 }] })
    expect(body.complete_from).toEqual(expect.any(Number))
  })
})
