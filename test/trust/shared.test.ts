import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LumoAuthAgent } from '../../client/index.ts'
import { filesOf } from '../../scenarios/cli/find-scenarios.ts'
import { failureText } from '../../scenarios/reports/failure.ts'
import { loadScenarios, run } from '../../scenarios/runner/index.ts'
import { remoteTarget } from '../../scenarios/targets/mock/remote.ts'
import type { TenantCreated } from '../../server/wire/index.ts'
import { figure } from '../support/figure.ts'
import { noPostgres, Postgres } from '../support/postgres.ts'
import { lumoauthHarness, type Running } from '../support/running.ts'
import { BehindNginx } from './behind-nginx.ts'
import { asked } from './crashing.ts'

const token = 'control-token-of-three'
const processes: Running[] = []
let nginx: BehindNginx
let postgres: Postgres

const missing =
  noPostgres ?? (existsSync('/usr/sbin/nginx') ? undefined : 'there is no /usr/sbin/nginx')

/** One of the three, as the page starts it. */
const start = async (index: number) => {
  const own = (seat: number) => `${nginx.port(`44${index + 1}${seat}`)}`
  const running = lumoauthHarness(
    [
      ...['start', '--json', '--port', own(0), '--api-port', own(1)],
      ...['--issuer-origin', nginx.origin('4400'), '--api-origin', nginx.origin('4401')],
      ...['--journal', postgres.url()],
    ],
    { env: { ...process.env, LUMOAUTH_HARNESS_CONTROL_TOKEN: token } },
  )
  processes[index] = running
  await running.prints('stdout', /^.*\n/)
}

const madeBy = async (name: string): Promise<TenantCreated> => {
  const url = `${nginx.origin('4400')}/_harness/tenants/${name}`
  const made = await asked(url, { method: 'PUT', token, body: {} })
  expect(made).toMatchObject({ status: 201 })
  return made?.body
}

const nameOf = (reason: string | undefined) =>
  `three processes on PostgreSQL${reason === undefined ? '' : ` (skipped: ${reason})`}`

describe.skipIf(missing)(nameOf(missing), () => {
  beforeAll(async () => {
    postgres = await Postgres.start(['fsync=on'])
    nginx = await BehindNginx.of('server/journal/README.md')
    await Promise.all([0, 1, 2].map(start))
  })

  afterAll(async () => {
    await Promise.all(processes.map((it) => it[Symbol.asyncDispose]()))
    await nginx?.[Symbol.asyncDispose]()
    await postgres?.[Symbol.asyncDispose]()
  })

  it.each([
    [
      'in turn, and forward what others own',
      (text: string) => text.replaceAll(/hash \$tenant;/g, ''),
    ],
    ['by tenant', (text: string) => text],
  ])('pass the whole suite when nginx asks them %s', async (how, rewrite) => {
    await nginx.start(rewrite)
    const { scenarios, problems } = await loadScenarios(filesOf([]))
    expect(problems).toEqual([])

    const { results } = await run(scenarios, remoteTarget(nginx.origin('4400'), token), { seed: 1 })

    const failed = results.filter((it) => it.verdict === 'failed')
    const told = failed.map((it) => it.failures.map((failure) => failureText(failure, it)))
    expect(failed, told.flat().join('\n\n')).toEqual([])
    const skipped = results.filter((it) => it.verdict === 'skipped')
    expect(skipped.map(({ title, reason }) => `${title}: ${reason}`)).toEqual([])
    figure('suite on PostgreSQL', { asked: how, passed: results.length })
  })

  it('each had its share of it, and keep nothing of it', async () => {
    const shares = [0, 1, 2].map(
      (index) => [...nginx.led().values()].filter((it) => it.has(index)).length,
    )
    for (const share of shares) expect(share).toBeGreaterThan(50)
    for (const own of ['4410', '4420', '4430']) {
      expect(await asked(`${nginx.origin(own)}/_harness/tenants`, { token })).toEqual({
        status: 200,
        body: { tenants: ['acme-corp'] },
      })
    }
  })

  it('take over from one that is killed, and give back when it returns', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `moved-${at}`)
    const worlds = await Promise.all(names.map(atWork))
    const rounds = async (until: () => boolean) => {
      let [asked, wrong, slowest] = [0, 0, 0]
      const first = new Map<string, number>()
      const begun = performance.now()
      await Promise.all(
        worlds.map(async ({ name, isAlive }) => {
          while (!until()) {
            const sent = performance.now()
            asked += 1
            if (await isAlive()) {
              first.set(name, first.get(name) ?? performance.now() - begun)
            } else wrong += 1
            slowest = Math.max(slowest, performance.now() - sent)
            await pause(10)
          }
        }),
      )
      const times = [...first.values()].sort((a, b) => a - b)
      return {
        asked,
        wrong,
        slowest,
        median: times[times.length >> 1] ?? 0,
        last: times.at(-1) ?? 0,
      }
    }
    const lasting = (milliseconds: number) => {
      const end = performance.now() + milliseconds
      return () => performance.now() >= end
    }

    await rounds(lasting(500))
    processes[1]?.signal('SIGKILL')
    const killed = await rounds(lasting(3000))
    expect(killed.wrong).toBe(0)

    await start(1)
    const back = await rounds(lasting(5000))
    expect(back.wrong).toBe(0)

    processes[2]?.signal('SIGTERM')
    const ended = await rounds(lasting(3000))
    expect(await processes[2]?.ends()).toBe(0)
    expect(ended.wrong).toBe(0)
    await start(2)

    const whole = (it: number) => Math.round(it)
    figure('SIGKILL of one of three on PostgreSQL', {
      tenants: names.length,
      'median ms to the next answer': whole(killed.median),
      slowest: whole(killed.slowest),
      requests: killed.asked,
      lost: killed.wrong,
    })
    figure('given back', { requests: back.asked, lost: back.wrong, slowest: whole(back.slowest) })
    figure('SIGTERM', { requests: ended.asked, lost: ended.wrong, slowest: whole(ended.slowest) })
  })
})

/** A tenant whose agent holds a token for one document, which its API shows it. */
const atWork = async (name: string) => {
  const { urls, environment } = await madeBy(name)
  const jit = await new LumoAuthAgent({ env: environment }).jit()
  const request = await jit.requestPermission({
    type: 'file_access',
    actions: ['read'],
    identifier: 'doc_9982',
  })
  const { access_token: held } = await jit.getToken(request)
  const isAlive = async () =>
    (await asked(`${urls.api}/v1/documents/doc_9982`, { token: held }))?.status === 200
  return { name, isAlive }
}
