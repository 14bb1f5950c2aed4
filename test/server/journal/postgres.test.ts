import { randomBytes } from 'node:crypto'
import { connect, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHarness, type Harness, type HarnessOptions } from '../../../server/index.ts'
import { JournalError } from '../../../server/journal/error.ts'
import { openStore } from '../../../server/journal/open-store.ts'
import { freePorts } from '../../support/free-ports.ts'
import { noPostgres, Postgres } from '../../support/postgres.ts'
import { lumoauthHarness } from '../../support/running.ts'
import { asked } from '../../trust/crashing.ts'

const token = 'the-control-token-of-all'

let postgres: Postgres
let count = 0

/** An empty database. */
const database = () => postgres.createDatabase(`db_${++count}`)

/** The address of a load balancer in front of all processes. */
const origins = { issuer: 'http://127.0.0.1:4400', api: 'http://127.0.0.1:4401' }

type Process = Pick<Harness, 'issuer' | 'api' | 'tenants' | 'close'> & AsyncDisposable

/** A harness as one of several processes; `issuer` and `api` are its own addresses. */
const processOf = async (
  journal: string | undefined,
  more: HarnessOptions = {},
): Promise<Process> => {
  const [port = 0, apiPort = 0] = await freePorts()
  const { tenants, close } = await createHarness({
    ...{ listen: true, port, apiPort, origins, controlToken: token, algorithm: 'ES256' },
    ...(journal === undefined ? {} : { journal }),
    onWarning: () => {},
    ...more,
  })
  return {
    issuer: `http://127.0.0.1:${port}`,
    api: `http://127.0.0.1:${apiPort}`,
    tenants,
    close,
    [Symbol.asyncDispose]: close,
  }
}

const issue = ({ issuer }: Process, [tenant]: Process['tenants']) => {
  const { client_id = '', client_secret = '' } = tenant?.agents[0] ?? {}
  return asked(`${issuer}/t/${tenant?.tenant}/api/v1/oauth/token`, {
    method: 'POST',
    form: { grant_type: 'client_credentials', client_id, client_secret },
  })
}

const introspect = async ({ issuer }: Process, [tenant]: Process['tenants'], held: string) => {
  const { client_id = '', client_secret = '' } = tenant?.agents[0] ?? {}
  const url = `${issuer}/t/${tenant?.tenant}/api/v1/oauth/introspect`
  const form = { token: held, client_id, client_secret }
  return (await asked(url, { method: 'POST', form }))?.body.active
}

const owners = (url: string) =>
  postgres.sql(
    'select count(distinct owner) from lumoauth_harness_tenants',
    new URL(url).pathname.slice(1),
  )

describe.skipIf(noPostgres)(
  `a journal in PostgreSQL${noPostgres ? `: ${noPostgres}` : ''}`,
  {
    timeout: 30_000,
  },
  () => {
    beforeAll(async () => {
      postgres = await Postgres.start()
    }, 60_000)
    afterAll(() => postgres?.[Symbol.asyncDispose]())

    it('restores everything after a restart, keys included', async () => {
      const url = database()
      const before = await processOf(url, { tenants: [{ tenant: 'acme' }] })
      const held = (await issue(before, before.tenants))?.body.access_token
      const { api } = before
      expect((await asked(`${api}/v1/documents`, { token: held }))?.status).toBe(200)
      await before.close()

      await using after = await processOf(url, { tenants: [{ tenant: 'acme' }] })

      expect(after.tenants[0]?.agents).toEqual(before.tenants[0]?.agents)
      expect(await introspect(after, after.tenants, held)).toBe(true)
      expect((await asked(`${after.api}/v1/documents`, { token: held }))?.status).toBe(200)
    })

    it('has one owner for each tenant, whichever process gets the request', async () => {
      const url = database()
      const tenants = [{ tenant: 'acme' }]
      await using one = await processOf(url, { tenants })
      await using two = await processOf(url, { tenants })

      const held = []
      for (const asking of [one, two, two, one, two]) {
        const answer = await issue(asking, two.tenants)
        expect(answer?.status).toBe(200)
        held.push(answer?.body.access_token)
      }

      for (const seen of [one, two]) {
        for (const it of held) expect(await introspect(seen, one.tenants, it)).toBe(true)
        const { status } = (await asked(`${seen.api}/v1/documents`, { token: held[0] })) ?? {}
        expect(status).toBe(200)
      }
      expect(owners(url)).toBe('1')
    })

    it('reach one another at the origins that reachedAt names', async () => {
      const url = database()
      const tenants = [{ tenant: 'acme' }]
      const [port = 0] = await freePorts()
      let reached = 0
      await using one = await processOf(url, {
        tenants,
        reachedAt: { issuer: `http://127.0.0.1:${port}` },
      })
      const passing = createServer((socket) => {
        reached += 1
        const through = connect(Number(new URL(one.issuer).port), '127.0.0.1')
        socket.pipe(through).pipe(socket)
        for (const it of [socket, through]) it.on('error', () => {})
      }).listen(port, '127.0.0.1')
      await using _ = { [Symbol.asyncDispose]: async () => void passing.close() }
      await using two = await processOf(url, { tenants })
      await issue(one, one.tenants)

      const answer = await issue(two, one.tenants)

      expect(answer?.status).toBe(200)
      expect(reached).toBe(1)
    })

    it('lists and creates tenants at every process, and never one name twice', async () => {
      const url = database()
      await using one = await processOf(url)
      await using two = await processOf(url)
      const put = (at: Process, name: string) =>
        asked(`${at.issuer}/_harness/tenants/${name}`, { method: 'PUT', token, body: {} })

      const made = await Promise.all([one, one, one, two, two].map((at) => put(at, 'same')))
      expect(made.map((it) => it?.status).sort()).toEqual([201, 409, 409, 409, 409])
      expect((await put(two, 'other'))?.status).toBe(201)
      const unnamed = await asked(`${one.issuer}/_harness/tenants`, {
        method: 'POST',
        token,
        body: {},
      })

      for (const { issuer } of [one, two]) {
        const { body } = (await asked(`${issuer}/_harness/tenants`, { token })) ?? {}
        expect(body.tenants).toEqual(['other', 'same', unnamed?.body.tenant].sort())
      }
      const gone = await asked(`${one.issuer}/_harness/tenants/other`, { method: 'DELETE', token })
      expect(gone?.status).toBe(204)
      for (const { issuer } of [one, two]) {
        const { status } = (await asked(`${issuer}/_harness/tenants/other/clock`, { token })) ?? {}
        expect(status).toBe(404)
      }
      expect((await put(two, 'other'))?.status).toBe(201)
    })

    it('moves a tenant to the process that gets all its requests', async () => {
      const url = database()
      await using one = await processOf(url, { tenants: [{ tenant: 'acme' }] })
      await using two = await processOf(url, { tenants: [{ tenant: 'acme' }] })
      const held = (await issue(one, one.tenants))?.body.access_token
      const ownerAt = () =>
        postgres.sql(
          'select api from lumoauth_harness_owners o join lumoauth_harness_tenants t on t.owner = o.id',
          new URL(url).pathname.slice(1),
        )
      expect(ownerAt()).toBe(one.api)

      await expect
        .poll(
          async () => {
            expect(await introspect(two, one.tenants, held)).toBe(true)
            return ownerAt()
          },
          { timeout: 8000 },
        )
        .toBe(two.api)
    })

    it('transfers a tenant when the session of its owner ends, and the owner keeps serving', async () => {
      const url = database()
      await using one = await processOf(url, { tenants: [{ tenant: 'acme' }] })
      await using two = await processOf(url, { tenants: [{ tenant: 'acme' }] })
      const held = (await issue(one, one.tenants))?.body.access_token

      const name = new URL(url).pathname.slice(1)
      postgres.sql('select pg_terminate_backend(backend) from lumoauth_harness_owners', name)

      for (const at of [two, one, two]) {
        await expect.poll(() => introspect(at, one.tenants, held), { timeout: 5000 }).toBe(true)
      }
    })

    it('answers 503 while the database is unreachable, and recovers', async () => {
      await using own = await Postgres.start()
      await using harness = await processOf(own.url(), { tenants: [{ tenant: 'acme' }] })
      const held = (await issue(harness, harness.tenants))?.body.access_token
      await own.stop()

      const away = await issue(harness, harness.tenants)
      expect(away?.status).toBe(503)
      expect((await asked(`${harness.issuer}/healthz`))?.status).toBe(200)
      await own.start()

      expect(await introspect(harness, harness.tenants, held)).toBe(true)
      expect((await issue(harness, harness.tenants))?.status).toBe(200)
    })

    it('compacts a tenant while it runs, without loss', async () => {
      const url = database()
      const { PostgresStore } = await import('../../../server/journal/postgres-store.ts')
      const store = await PostgresStore.open(url, 'ES256', { compactAbove: 20, newestEntries: 5 })
      const harness = await processOf(undefined, { store, tenants: [{ tenant: 'acme' }] })
      const held: string[] = []
      for (let round = 0; round < 90; round += 1) {
        held.push((await issue(harness, harness.tenants))?.body.access_token)
      }
      await harness.close()
      const name = new URL(url).pathname.slice(1)
      expect(
        Number(postgres.sql('select count(*) from lumoauth_harness_journal', name)),
      ).toBeLessThan(60)

      await using after = await processOf(url, { tenants: [{ tenant: 'acme' }] })

      const alive = []
      for (const it of held) alive.push(await introspect(after, after.tenants, it))
      expect(alive).toEqual(held.map(() => true))
    })

    it('encrypts keys and secrets, and rejects a wrong key', async () => {
      const url = database()
      const storeKey = randomBytes(32).toString('base64')
      const open = (key: string | undefined) => openStore(url, { storeKey: key })
      const harness = await createHarness({
        store: await open(storeKey),
        tenants: [{ tenant: 'acme', agents: [{ name: 'bot', client_secret: 'only-for-tests' }] }],
      })
      await harness.close()

      const name = new URL(url).pathname.slice(1)
      const stored = ['keys', 'tenants', 'journal']
        .map((it) => postgres.sql(`select * from lumoauth_harness_${it}`, name))
        .join('\n')
      expect(stored).toContain('aes-256-gcm:')
      expect(stored).not.toContain('only-for-tests')
      expect(stored).not.toMatch(/"d":/)
      await expect(open(randomBytes(32).toString('hex'))).rejects.toThrow(/is not the key/)
      await expect(open(undefined)).rejects.toThrow(/set LUMOAUTH_STORE_KEY/)
      await expect(open('short')).rejects.toThrow(/expected 32 bytes/)
      await (await open(storeKey)).close()
    })

    it('sends each callback once that became due while no process had the tenant', async () => {
      const url = database()
      const { promise: called, resolve } = Promise.withResolvers<void>()
      let calls = 0
      const send = async () => {
        calls += 1
        resolve()
        return 200
      }
      const silent = { outbound: { send: () => new Promise<number>(() => {}) } }
      const first = await processOf(url, { tenants: [{ tenant: 'acme' }], ...silent })
      const [tenant] = first.tenants
      const access = (await issue(first, first.tenants))?.body.access_token
      const base = `${first.issuer}/t/acme/api/v1`
      const post = (path: string, body: object) =>
        asked(base + path, { method: 'POST', token: access, body })
      const { task_id } = (await post('/jit/task', {}))?.body ?? {}
      const wanted = await post('/jit/request', {
        task_id,
        authorization_details: { type: 'user_data', actions: ['read'], identifier: 'u1' },
        callback_url: 'http://127.0.0.1:9/hook',
      })
      expect(wanted?.body.status).toBe('pending')
      await tenant?.approver.approve(wanted?.body.request_id)
      await first.close()
      expect(calls).toBe(0)

      await using one = await processOf(url, { outbound: { send } })
      await using two = await processOf(url, { outbound: { send } })
      await called
      const name = new URL(url).pathname.slice(1)
      const due = () =>
        postgres.sql('select count(*) from lumoauth_harness_tenants where due is not null', name)
      await expect.poll(due, { timeout: 5000 }).toBe('0')

      expect(calls).toBe(1)
      expect(one.tenants.length + two.tenants.length).toBe(0)
    })

    describe('rejects', () => {
      const opening = async (url: string) => {
        const refused = await openStore(url).then(
          async (store) => store.close().then(() => undefined),
          (failed: unknown) => failed,
        )
        expect(refused).toBeInstanceOf(JournalError)
        expect((refused as Error).message).not.toContain('\n')
        return (refused as Error).message
      }

      it('an unreachable server, an unknown database, an invalid URL', async () => {
        expect(await opening('postgres://u:secret@127.0.0.1:1/x')).toMatch(
          /^PostgreSQL at 127\.0\.0\.1:1, database x: cannot be reached or used: .*ECONNREFUSED/,
        )
        expect(await opening(postgres.url('missing'))).toMatch(/does not exist; create it/)
        expect(await opening('postgres://127.0.0.1:bad/x')).toMatch(/not a URL of PostgreSQL/)
      })

      it('a database of another program, and tables of another version', async () => {
        const foreign = database()
        postgres.sql('create table customers (id int)', new URL(foreign).pathname.slice(1))
        expect(await opening(foreign)).toMatch(/tables of another program, such as customers/)

        const other = database()
        await (await openStore(other)).close()
        const name = new URL(other).pathname.slice(1)
        postgres.sql('update lumoauth_harness_version set version = 99', name)
        expect(await opening(other)).toMatch(/version 99, which is newer than version 1/)
        postgres.sql('update lumoauth_harness_version set version = 0', name)
        expect(await opening(other)).toMatch(/version 0, which is older than version 1/)
        postgres.sql('drop table lumoauth_harness_version', name)
        expect(await opening(other)).toMatch(/are not those of a lumoauth-harness/)
      })

      it('to start, in one line and with exit code 2', async () => {
        const args = ['start', '--json', '--port', '0', '--api-port', '0']
        await using running = lumoauthHarness([
          ...args,
          '--journal',
          'postgres://u:hidden@127.0.0.1:1/x',
        ])

        expect(await running.ends()).toBe(2)

        expect(running.stderr).toMatch(
          /^lumoauth-harness: PostgreSQL at 127\.0\.0\.1:1, database x: cannot be reached[^\n]*\n$/,
        )
        expect(running.stdout + running.stderr).not.toContain('hidden')
      })

      it('a user without privileges', async () => {
        const url = database()
        const name = new URL(url).pathname.slice(1)
        postgres.sql('create role guest login', name)
        const guest = postgres.url(name, 'guest')
        expect(await opening(guest)).toMatch(/the user guest lacks a right/)

        await (await openStore(url)).close()
        postgres.sql('grant select on all tables in schema public to guest', name)
        expect(await opening(guest)).toMatch(/the user guest lacks the right to insert on/)
      })
    })
  },
)
