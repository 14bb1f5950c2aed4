import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LumoAuthAgent } from '../../client/index.ts'
import { filesOf } from '../../scenarios/cli/find-scenarios.ts'
import { failureText } from '../../scenarios/reports/failure.ts'
import { loadScenarios, run } from '../../scenarios/runner/index.ts'
import { remoteTarget } from '../../scenarios/targets/mock/remote.ts'
import type { TenantCreated } from '../../server/wire/index.ts'
import { eventsOf } from '../server/console/world.ts'
import { figure } from '../support/figure.ts'
import { lumoauthHarness, type Running } from '../support/running.ts'
import { BehindNginx } from './behind-nginx.ts'
import { asked } from './crashing.ts'

const token = 'control-token-of-three'
const processes: Running[] = []
let nginx: BehindNginx

const port = (written: string) => nginx.port(written)
const origin = (written: string) => nginx.origin(written)

/** One of the three processes, started as documented. */
const start = async (index: number) => {
  const tens = `44${index + 1}`
  const running = lumoauthHarness(
    [
      ...['start', '--json', '--port', `${port(`${tens}0`)}`, '--api-port', `${port(`${tens}1`)}`],
      ...['--issuer-origin', origin('4400'), '--api-origin', origin('4401')],
      ...['--journal', join(nginx.folder, `${index}.jsonl`)],
    ],
    { env: { ...process.env, LUMOAUTH_HARNESS_CONTROL_TOKEN: token } },
  )
  processes[index] = running
  await running.prints('stdout', /^.*\n/)
}

beforeAll(async () => {
  nginx = await BehindNginx.of('server/deploy/README.md')
  await Promise.all([0, 1, 2].map(start))
  await nginx.start()
})

afterAll(async () => {
  await Promise.all(processes.map((it) => it[Symbol.asyncDispose]()))
  await nginx[Symbol.asyncDispose]()
})

const madeBy = async (name: string): Promise<TenantCreated> => {
  const url = `${origin('4400')}/_harness/tenants/${name}`
  const made = await asked(url, { method: 'PUT', token, body: {} })
  expect(made).toMatchObject({ status: 201 })
  return made?.body
}

describe('three processes behind nginx', () => {
  it('pass the whole suite, except requests that name no tenant', async () => {
    const { scenarios, problems } = await loadScenarios(filesOf([]))
    expect(problems).toEqual([])

    const { results } = await run(scenarios, remoteTarget(origin('4400'), token), { seed: 1 })

    const failed = results.filter((it) => it.verdict === 'failed')
    const told = failed.map((it) => it.failures.map((failure) => failureText(failure, it)))
    expect(failed, told.flat().join('\n\n')).toEqual([])
    const skipped = results.filter((it) => it.verdict === 'skipped')
    const check =
      'authz/check answers one permission, many, any or all of them: /api/v1/authz/check'
    const evaluation =
      'AuthZEN evaluation answers decision for the bearer or another subject, one or several at once: /api/v1/authz/v1/evaluation'
    expect(skipped.map(({ title, reason }) => `${title}: ${reason}`)).toEqual(
      [check, check, evaluation].map((it) => `${it} has no tenant, by which a proxy routes (421)`),
    )
    figure('suite behind nginx', {
      passed: results.length - skipped.length,
      skipped: skipped.length,
    })
  })

  it('each served a share of it, and each tenant was served by one process', () => {
    const tenants = [...nginx.led().values()]
    const shares = [0, 1, 2].map((index) => tenants.filter((it) => it.has(index)).length)

    expect(tenants.filter((it) => it.size !== 1)).toEqual([])
    expect(tenants.length).toBeGreaterThan(400)
    for (const share of shares) expect(share).toBeGreaterThan(tenants.length / 5)
    figure('tenants behind nginx', { tenants: tenants.length, shares: shares.join('+') })
  })

  it('have no tenant left after the suite', async () => {
    for (const own of ['4410', '4420', '4430']) {
      expect(await asked(`${origin(own)}/_harness/tenants`, { token })).toEqual({
        status: 200,
        body: { tenants: ['acme-corp'] },
      })
    }
  })

  it.each([
    ['a list of all tenants', 'GET', '4400', '/_harness/tenants'],
    ['a tenant without a name', 'POST', '4400', '/_harness/tenants'],
    ['metadata without a tenant', 'GET', '4400', '/.well-known/openid-configuration'],
    ['an API request with the tenant in its token only', 'GET', '4401', '/v1/documents'],
  ])(
    'answer 421 misdirected_request to %s, which names no tenant',
    async (_, method, seat, path) => {
      const answer = await asked(origin(seat) + path, { method, token })

      expect(answer).toMatchObject({ status: 421, body: { error: 'misdirected_request' } })
    },
  )

  it('answer 403 to the control plane under another Host', async () => {
    const { hostname, port } = new URL(origin('4400'))
    const { request } = await import('node:http')

    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'evil.example', authorization: `Bearer ${token}` }
      const path = '/_harness/tenants/acme-corp/clock'
      request({ hostname, port, path, headers }, ({ statusCode }) => resolve(statusCode))
        .once('error', reject)
        .end()
    })

    expect(status).toBe(403)
  })

  it('serve the page of a task at its process', async () => {
    const statuses = []
    for (const name of ['page-1', 'page-2', 'page-3', 'page-4', 'page-5', 'page-6']) {
      const { environment } = await madeBy(name)
      await using jit = await new LumoAuthAgent({ env: environment }).jit()
      const url = `${origin('4400')}/approve/${jit.taskId}`
      const { status } = await fetch(url, { redirect: 'manual' })
      statuses.push(status)
    }

    expect(new Set(statuses)).toEqual(new Set([303]))
  })

  it('send an event at once, on a stream that stays open', async () => {
    await madeBy('watched')
    const control = `${origin('4400')}/_harness/tenants/watched`
    const link = await asked(`${control}/console-link`, { method: 'POST', token, body: {} })
    const code = new URL(link?.body.url).hash.replace('#code=', '')
    const page = `${origin('4400')}/console/watched`
    const { headers } = await fetch(`${page}/session`, {
      method: 'POST',
      headers: { origin: origin('4400'), 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    })
    const cookie = headers.get('set-cookie')?.split(';')[0] ?? ''
    const signal = AbortSignal.timeout(20_000)
    const events = eventsOf(await fetch(`${page}/events`, { headers: { cookie }, signal }))
    expect(await events.nextOf('hello')).toBeDefined()

    await asked(`${control}/clock`, { method: 'POST', token, body: { advance: 60 } })

    expect(await events.nextOf('entry')).toMatchObject({ data: { type: 'clock.moved' } })
    await events.cancel()
  })
})

describe('one of three that is killed', () => {
  it('makes only its own tenants unavailable, and restores them from its journal', async () => {
    const names = Array.from({ length: 18 }, (_, at) => `kept-${at}`)
    const worlds = await Promise.all(names.map(atWork))
    const lost = (await listOf('4420')).filter((it) => it.startsWith('kept-'))
    expect(lost.length).toBeGreaterThan(2)
    expect(lost.length).toBeLessThan(12)
    const seen = async () =>
      Object.fromEntries(
        await Promise.all(worlds.map(async (it) => [it.tenant, await it.looks()] as const)),
      )
    const alive = { token: { status: 200, active: true }, document: 200, clock: 200 }
    const down = { token: { status: 502, active: undefined }, document: 502, clock: 502 }
    expect(await seen()).toEqual(Object.fromEntries(names.map((it) => [it, alive])))

    processes[1]?.signal('SIGKILL')
    await processes[1]?.ends()

    // Repeatedly: no other process takes over its tenants.
    const withoutOne = names.map((it) => [it, lost.includes(it) ? down : alive])
    for (let round = 0; round < 5; round += 1) {
      expect(await seen()).toEqual(Object.fromEntries(withoutOne))
      for (const path of ['/healthz', '/openapi.json', '/docs', '/console']) {
        expect([path, (await fetch(origin('4400') + path)).status]).toEqual([path, 200])
      }
    }

    await start(1)

    expect(await seen()).toEqual(Object.fromEntries(names.map((it) => [it, alive])))
    figure('one of three killed', { tenants: names.length, 'gone meanwhile': lost.length })
  })
})

const listOf = async (own: string): Promise<string[]> =>
  (await asked(`${origin(own)}/_harness/tenants`, { token }))?.body.tenants

/** A tenant whose agent holds a token for one document, and checks from every side. */
const atWork = async (name: string) => {
  const { tenant, urls, agents, environment } = await madeBy(name)
  const { client_id = '', client_secret = '' } = agents[0] ?? {}
  const jit = await new LumoAuthAgent({ env: environment }).jit()
  const request = await jit.requestPermission({
    type: 'file_access',
    actions: ['read'],
    identifier: 'doc_9982',
  })
  const { access_token: held } = await jit.getToken(request)
  const looks = async () => {
    const form = { token: held, client_id, client_secret }
    const url = `${urls.tenant}/oauth/introspect`
    const introspected = await asked(url, { method: 'POST', form })
    const document = await asked(`${urls.api}/v1/documents/doc_9982`, { token: held })
    const clock = await asked(`${origin('4400')}/_harness/tenants/${tenant}/clock`, { token })
    return {
      token: { status: introspected?.status, active: introspected?.body.active },
      document: document?.status,
      clock: clock?.status,
    }
  }
  return { tenant, looks }
}
