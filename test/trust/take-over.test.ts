import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Entry } from '../../server/issuer/event.ts'
import { parseLine } from '../../server/journal/line.ts'
import { figure } from '../support/figure.ts'
import { freePorts } from '../support/free-ports.ts'
import { noPostgres, Postgres } from '../support/postgres.ts'
import { lumoauthHarness, type Running } from '../support/running.ts'
import { type Answered, asked, type Ready, Witness, witnessed } from './crashing.ts'
import { randomFrom, size } from './sizes.ts'

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const controlToken = 'the-control-token'

let postgres: Postgres
let folder: string
let count = 0

/** Several processes with one database, each on its own ports. */
class Processes implements AsyncDisposable {
  readonly #running: (Running | undefined)[] = []
  readonly #url: string
  readonly #ports: readonly number[]
  readonly #random: () => number
  ready: Ready | undefined

  static async start(many: number, url: string, random: () => number): Promise<Processes> {
    const processes = new Processes(url, await freePorts(2 * many), random)
    for (let index = 0; index < many; index += 1) await processes.start(index)
    return processes
  }

  private constructor(url: string, ports: readonly number[], random: () => number) {
    this.#url = url
    this.#ports = ports
    this.#random = random
  }

  async start(index: number): Promise<void> {
    const [port, apiPort] = this.#ports.slice(2 * index)
    const config = join(folder, 'acme.yaml')
    writeFileSync(config, witnessed)
    const running = lumoauthHarness(
      [
        ...['start', '--json', '--algorithm', 'ES256', '--config', config, '--journal', this.#url],
        ...['--port', `${port}`, '--api-port', `${apiPort}`],
        ...['--issuer-origin', origins.issuer, '--api-origin', origins.api],
      ],
      { env: { ...process.env, LUMOAUTH_HARNESS_CONTROL_TOKEN: controlToken } },
    )
    const [line] = await running.prints('stdout', /^.*\n/)
    this.#running[index] = running
    this.ready = JSON.parse(line)
  }

  signal(index: number, signal: NodeJS.Signals): void {
    this.#running[index]?.signal(signal)
  }

  async kill(index: number): Promise<void> {
    const running = this.#running[index]
    this.#running[index] = undefined
    running?.signal('SIGKILL')
    await running?.ends()
  }

  /**
   * Sends a request to one process, by default any running one. Undefined when nothing was
   * acknowledged.
   */
  ask = async (
    url: string,
    options: Parameters<typeof asked>[1] = {},
    index = this.#anyIndex(),
  ): Promise<Answered | undefined> => {
    const [issuer, api] = this.#ports.slice(2 * index)
    const at = url
      .replace(origins.issuer, `http://127.0.0.1:${issuer}`)
      .replace(origins.api, `http://127.0.0.1:${api}`)
    const answer = await asked(at, options)
    return answer?.status === 502 || answer?.status === 503 ? undefined : answer
  }

  /** Repeats a request until there is a response. */
  askOn: typeof asked = async (url, options) => {
    for (const end = performance.now() + 30_000; performance.now() < end; await pause(50)) {
      const answer = await this.ask(url, options)
      if (answer) return answer
    }
    throw new Error(`${url} was not answered within 30 s`)
  }

  #anyIndex(): number {
    const indexes = [...this.#running.keys()].filter((it) => this.#running[it] !== undefined)
    return indexes[Math.floor(this.#random() * indexes.length)] ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((it) => it?.[Symbol.asyncDispose]()))
  }
}

/** The address of a load balancer in front of them. */
const origins = { issuer: 'http://127.0.0.1:4400', api: 'http://127.0.0.1:4401' }

/** Works through every failure until it is stopped. */
const workOn = (witness: Witness, workers: number, isOver: () => boolean): Promise<unknown> => {
  const working = Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      while (!isOver()) {
        await witness.work(worker, isOver)
        await pause(5)
      }
    }),
  )
  // Told when it is waited for.
  working.catch(() => {})
  return working
}

/**
 * Checks the events in the database: in order, without a gap, and no request decided twice.
 * @returns the number of entries so far
 */
const checkHistory = (database: string): number => {
  const lines = postgres
    .sql(`select line from lumoauth_harness_journal where tenant = 'acme' order by seq`, database)
    .split('\n')
    .flatMap((text) => parseLine(text) ?? [])
  const entries = lines.flatMap((it): readonly Entry[] => ('entries' in it ? it.entries : []))
  // A compacted journal has the decisions up to its snapshot, and the newest entries.
  const compacted = Math.max(0, ...lines.map((it) => ('snapshot' in it ? it.seq : 0)))
  const first = compacted === 0 ? 1 : (entries[0]?.seq ?? 1)
  expect(first).toBeLessThanOrEqual(compacted + 1)
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, at) => first + at))
  const decided = [
    ...lines.flatMap((it) => ('decided' in it ? it.decided.requestId : [])),
    ...entries.flatMap((it) =>
      it.seq > compacted && (it.type === 'permission.approved' || it.type === 'permission.denied')
        ? it.requestId
        : [],
    ),
  ]
  expect(decided.length).toBe(new Set(decided).size)
  return entries.at(-1)?.seq ?? compacted
}

const nameOf = (url: string) => new URL(url).pathname.slice(1)

describe.skipIf(noPostgres)(
  `processes on PostgreSQL${noPostgres === undefined ? '' : ` (skipped: ${noPostgres})`}`,
  () => {
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'take-over-'))
      postgres = await Postgres.start(['fsync=on'])
    })
    afterAll(async () => {
      await postgres?.[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    })
    const database = () => postgres.createDatabase(`take_over_${++count}`)

    it('lose nothing acknowledged when they are killed at any moment', async () => {
      const rounds = size('TAKE_OVER_ROUNDS', 6, 200)
      const random = randomFrom(seed)
      const url = database()
      await using processes = await Processes.start(3, url, random)
      const witness = new Witness(processes.ready as Ready, random, processes.ask)
      const observer = new Witness(processes.ready as Ready, random, processes.askOn)
      await observer.signIn()
      witness.adopt(observer)

      let over = false
      const working = workOn(witness, 4, () => over)
      for (let round = 0; round < rounds; round += 1) {
        await pause(5 + random() * 500)
        const [first, second] = [Math.floor(random() * 3), Math.floor(random() * 3)]
        const killed = random() < 0.3 ? new Set([first, second]) : new Set([first])
        await Promise.all([...killed].map((it) => processes.kill(it)))
        await pause(random() * 200)
        await Promise.all([...killed].map((it) => processes.start(it)))
      }
      over = true
      await working

      observer.adopt(witness)
      expect(await observer.complaints(), `seed ${seed}`).toEqual([])
      figure('killed by SIGKILL, of three on PostgreSQL', {
        rounds,
        'facts checked at the end': observer.told,
        entries: checkHistory(nameOf(url)),
        lost: 0,
        seed,
      })
    })

    it('answer nothing from memory after a pause longer than their lease', async () => {
      const rounds = size('PAUSE_ROUNDS', 1, 10)
      const random = randomFrom(seed)
      const url = database()
      await using processes = await Processes.start(2, url, random)
      const { client_id, client_secret } = processes.ready as Ready
      const base = `${origins.issuer}/t/acme/api/v1/oauth`
      const form = { client_id, client_secret }
      const issue = (index?: number) =>
        processes.ask(
          `${base}/token`,
          { method: 'POST', form: { ...form, grant_type: 'client_credentials' } },
          index,
        )
      const isActive = async (token: string, index: number) => {
        const seen = await processes.ask(
          `${base}/introspect`,
          { method: 'POST', form: { ...form, token } },
          index,
        )
        return seen?.body.active
      }
      let slowest = 0
      for (let round = 0; round < rounds; round += 1) {
        const [owner, other] = round % 2 === 0 ? [0, 1] : [1, 0]
        // The other one has it: it is given up by the end of the sessions.
        const name = nameOf(url)
        postgres.sql('select pg_terminate_backend(backend) from lumoauth_harness_owners', name)
        let held: string | undefined
        while (held === undefined) held = (await issue(owner))?.body.access_token

        processes.signal(owner, 'SIGSTOP')
        // Requests wait in its sockets until it continues.
        const queued = Array.from({ length: 8 }, () => isActive(held as string, owner))
        const paused = performance.now()
        const revoke = { method: 'POST', form: { ...form, token: held } }
        while ((await processes.ask(`${base}/revoke`, revoke, other))?.status !== 200)
          await pause(50)
        slowest = Math.max(slowest, performance.now() - paused)
        expect(await isActive(held, other)).toBe(false)

        processes.signal(owner, 'SIGCONT')
        const seen = await Promise.all([
          ...queued,
          ...Array.from({ length: 8 }, () => isActive(held as string, owner)),
        ])
        expect(seen.filter((it) => it !== undefined && it !== false)).toEqual([])
        await expect.poll(() => isActive(held as string, owner), { timeout: 10_000 }).toBe(false)
        const fresh = (await issue(owner))?.body.access_token
        expect(await isActive(fresh, other)).toBe(true)
      }
      figure('paused by SIGSTOP, of two on PostgreSQL', {
        rounds,
        'slowest take-over in ms': Math.round(slowest),
        entries: checkHistory(nameOf(url)),
        wrong: 0,
      })
    })

    it('answer nothing from memory while the database is unreachable', async () => {
      const random = randomFrom(seed)
      const url = database()
      await using cutter = await Cutter.start(postgres.port)
      const through = url.replace(`:${postgres.port}`, `:${cutter.port}`)
      await using cutOff = await Processes.start(1, through, random)
      const { client_id, client_secret } = cutOff.ready as Ready
      const base = `${origins.issuer}/t/acme/api/v1/oauth`
      const form = { client_id, client_secret }
      const grant = { method: 'POST', form: { ...form, grant_type: 'client_credentials' } }
      const held = (await cutOff.ask(`${base}/token`, grant))?.body.access_token
      const named = { method: 'POST', form: { ...form, token: held } }
      const isActive = async (at: Processes) =>
        (await at.ask(`${base}/introspect`, named))?.body.active
      expect(await isActive(cutOff)).toBe(true)

      const lapsed = () =>
        postgres.sql(
          'select bool_and(lease_until < clock_timestamp()) from lumoauth_harness_owners',
          nameOf(url),
        )

      cutter.freeze(true)
      await expect.poll(lapsed, { timeout: 10_000 }).toBe('t')
      await using others = await Processes.start(1, url, random)
      expect((await others.ask(`${base}/revoke`, named))?.status).toBe(200)
      const meanwhile = await Promise.all([0, 1, 2].map(() => isActive(cutOff)))
      cutter.freeze(false)

      expect(meanwhile).toEqual([undefined, undefined, undefined])
      await expect.poll(() => isActive(cutOff), { timeout: 10_000 }).toBe(false)
      checkHistory(nameOf(url))
    })

    it('lose nothing acknowledged when the connection is cut during a commit', async () => {
      const rounds = size('CUT_ROUNDS', 20, 400)
      const random = randomFrom(seed)
      const url = database()
      await using cutter = await Cutter.start(postgres.port)
      const through = url.replace(`:${postgres.port}`, `:${cutter.port}`)
      await using processes = await Processes.start(1, through, random)
      const observer = new Witness(processes.ready as Ready, random, processes.askOn)
      const witness = new Witness(processes.ready as Ready, random, processes.ask)
      await observer.signIn()
      witness.adopt(observer)

      let over = false
      const working = workOn(witness, 4, () => over)
      for (let round = 0; round < rounds; round += 1) {
        await cutter.cutNext(random() < 0.5 ? 'before' : 'after', Math.floor(random() * 40))
      }
      over = true
      await working

      observer.adopt(witness)
      expect(await observer.complaints(), `seed ${seed}`).toEqual([])
      figure('connection cut within a commit', {
        rounds,
        'facts checked at the end': observer.told,
        entries: checkHistory(nameOf(url)),
        lost: 0,
        seed,
      })
    })

    it('acknowledge nothing while the disk of the database is full, and recover afterwards', async () => {
      const random = randomFrom(seed)
      await using full = await Postgres.start(['fsync=off'])
      await using processes = await Processes.start(1, full.url(), random)
      const observer = new Witness(processes.ready as Ready, random, processes.askOn)
      const witness = new Witness(processes.ready as Ready, random, processes.ask)
      await observer.signIn()
      witness.adopt(observer)
      const agent = observer.agent
      await Promise.all([0, 1].map((worker) => witness.work(worker, enough(40))))

      // The file of the table is full, and must not grow.
      full.sql(
        `insert into lumoauth_harness_journal
          select 'filler', i, repeat(md5(i::text), 30) from generate_series(1, 1500) i`,
      )
      full.limitFiles(Number(full.sql("select pg_relation_size('lumoauth_harness_journal')")))
      let refused = 0
      for (let tries = 0; refused === 0 && tries < 400; tries += 1) {
        const url = `${origins.issuer}/t/acme/api/v1/jit/task`
        const answer = await processes.ask(url, { method: 'POST', token: agent, body: {} })
        if (answer === undefined) refused += 1
        else expect(answer.status).toBe(201)
      }
      expect(refused).toBe(1)
      await Promise.all([0, 1].map((worker) => witness.work(worker, enough(5))))
      full.limitFiles('unlimited')

      await Promise.all([0, 1].map((worker) => witness.work(worker, enough(40))))
      observer.adopt(witness)
      expect(await observer.complaints(), `seed ${seed}`).toEqual([])
      figure('disk of the database full', { 'facts checked at the end': observer.told, lost: 0 })
    })
  },
)

/** True after this many calls. */
const enough = (calls: number) => {
  let left = calls
  return () => --left < 0
}

/** A proxy between a process and PostgreSQL that cuts the connection at a write. */
class Cutter implements AsyncDisposable {
  port = 0
  readonly #server = createServer((socket) => this.#connect(socket))
  readonly #open = new Set<Socket>()
  readonly #to: number
  #isFrozen = false
  #armed: { when: 'before' | 'after'; skip: number; done: () => void } | undefined

  static async start(to: number): Promise<Cutter> {
    const cutter = new Cutter(to)
    await new Promise<void>((listening) => cutter.#server.listen(0, '127.0.0.1', listening))
    cutter.port = (cutter.#server.address() as { port: number }).port
    return cutter
  }

  private constructor(to: number) {
    this.#to = to
  }

  /**
   * Cuts the connection at a later write: before it reaches the database, or before its response
   * returns.
   */
  cutNext(when: 'before' | 'after', skip: number): Promise<void> {
    return new Promise((done) => {
      this.#armed = { when, skip, done }
    })
  }

  /** Blocks or unblocks both directions. */
  freeze(isFrozen: boolean): void {
    this.#isFrozen = isFrozen
    for (const socket of this.#open) isFrozen ? socket.pause() : socket.resume()
  }

  #connect(client: Socket): void {
    const server = createConnection(this.#to, '127.0.0.1')
    if (this.#isFrozen) for (const socket of [client, server]) socket.pause()
    let cutsAtAnswer: (() => void) | undefined
    const end = () => {
      client.destroy()
      server.destroy()
      for (const socket of [client, server]) this.#open.delete(socket)
    }
    for (const socket of [client, server]) this.#open.add(socket)
    for (const socket of [client, server]) socket.on('error', end).on('close', end)
    client.on('data', (bytes) => {
      const armed = this.#armed
      // The name of the prepared statement that appends lines.
      if (armed && bytes.includes('append') && armed.skip-- <= 0) {
        this.#armed = undefined
        if (armed.when === 'before') {
          end()
          return armed.done()
        }
        cutsAtAnswer = armed.done
      }
      server.write(bytes)
    })
    server.on('data', (bytes) => {
      if (cutsAtAnswer === undefined) return void client.write(bytes)
      end()
      cutsAtAnswer()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    await new Promise((closed) => this.#server.close(closed))
  }
}
