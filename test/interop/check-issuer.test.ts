import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LumoAuthAgent } from '../../client/index.ts'
import { deviationsOf } from '../../scenarios/checks/deviations.ts'
import { DialectEar } from '../../scenarios/checks/dialect.ts'
import { filesOf } from '../../scenarios/cli/suite.ts'
import { type Loaded, loadScenarios } from '../../scenarios/runner/load.ts'
import { run } from '../../scenarios/runner/run.ts'
import type { Result } from '../../scenarios/runner/verdict.ts'
import { mock } from '../../scenarios/targets/mock.ts'
import { real } from '../../scenarios/targets/real.ts'
import { accessOf, readTarget } from '../../scenarios/targets/real-access.ts'
import type { Target } from '../../scenarios/targets/target.ts'
import { misbehaviours } from '../../server/http/misbehaviours.ts'
import { Dialect, dialects } from '../../server/wire/index.ts'
import { lumoauthHarness, root } from '../support/running.ts'
import { type Issuer, issuerElsewhere } from './issuer.ts'

const ours = (await loadScenarios(filesOf([join(root, 'scenarios/issuer-suite')]))).scenarios
const suite = (await loadScenarios(filesOf([]))).scenarios

/** Checks an issuer as the command line does, without its printing. */
const checked = async (
  { target: text, env }: Pick<Issuer, 'target' | 'env'>,
  scenarios: readonly Loaded[],
  double: Target,
) => {
  const { file } = readTarget('target.yaml', text)
  if (file === undefined) throw new Error('the target has mistakes')
  const target = await real(accessOf(file, env), { allowWrites: true })
  const ear = new DialectEar(double, file.issuer?.dialect, target.names)
  const originals = new Map(scenarios.map((it) => [it.title, it]))
  const { results } = await run(scenarios.map(target.placed), target, {
    concurrency: 4,
    judge: (result, scenario) => ear.heard(result, originals.get(scenario.title) ?? scenario),
  }).finally(() => target.close())
  return { results, leftovers: target.leftovers, found: ear.found, usage: target.usage() }
}

const failed = (results: readonly Result[]) =>
  results
    .filter((it) => it.verdict === 'failed')
    .map((it) => `${it.title}: ${it.failures.map(({ message }) => message).join('; ')}`)

let double: Target
beforeAll(async () => {
  double = await mock('fetch')
})
afterAll(async () => {
  await double.close()
})

describe('checking our issuer in another process', () => {
  it('finds nothing, and leaves no task open', async () => {
    await using issuer = await issuerElsewhere()

    const { results, usage } = await checked(issuer, [...ours, ...suite], double)

    expect(failed(results)).toEqual([])
    expect(results.filter((it) => it.verdict === 'passed').length).toBeGreaterThan(150)
    expect(usage.requests).toBeLessThan(2500)
    expect(await issuer.openTasks()).toEqual([])
  }, 240_000)

  it('takes another dialect for what it is, in every switch', async () => {
    const usual: Record<string, unknown> = Dialect.parse({})
    const other = Object.fromEntries(
      (Object.keys(dialects) as (keyof Dialect)[]).map((name) => [
        name,
        (Dialect.shape[name].unwrap().options as readonly string[]).find(
          (it) => it !== usual[name],
        ),
      ]),
    )
    await using issuer = await issuerElsewhere(other)

    const { results, found } = await checked(issuer, [...ours, ...suite], double)

    expect(failed(results)).toEqual([])
    expect(Object.keys(found).length).toBeGreaterThan(10)
    for (const [name, value] of Object.entries(found)) expect(other[name]).toBe(value)
  }, 480_000)
})

/** What nobody outside can see in the time there is, without setting policy, clock or budget. */
const unseen: Readonly<Record<string, string>> = {
  'issuer-exchanges-twice': 'a dialect allows it (repeated_exchange)',
  'issuer-accepts-expired-bearer': 'an agent’s own token lives an hour',
  'issuer-outlives-task': 'a task lives an hour',
  'issuer-exchanges-late': 'an approval lives minutes',
  'issuer-approves-expired': 'a request lives minutes',
  'issuer-ignores-request-expiry': 'a request lives minutes',
  'issuer-counts-approver-twice': 'no policy asks for two approvers',
  'issuer-misattributes-decision': 'the journal is not shown',
  'issuer-ignores-budget': 'no agent has a small budget',
  'issuer-forgets-justification': 'approvers see none at all, or what was sent',
  'issuer-lists-other-tenants': 'nothing waits in the other tenant',
}

describe('a misbehaving issuer', () => {
  let issuer: Issuer
  beforeAll(async () => {
    issuer = await issuerElsewhere()
  }, 60_000)
  afterAll(() => issuer[Symbol.asyncDispose]())

  it.each(misbehaviours.filter((it) => it.seat === 'issuer' && !(it.name in unseen)))(
    '$name is named by $breaks',
    async ({ name, breaks }) => {
      await issuer.control('POST', '/misbehaviours', { name })

      const about = [...ours, ...suite.filter((it) => it.covers.includes(breaks))]
      const { results } = await checked(issuer, about, double).finally(() =>
        issuer.control('DELETE', '/misbehaviours'),
      )

      expect(deviationsOf(results).map((it) => it.rule)).toContain(breaks)
    },
    120_000,
  )
})

describe('check issuer --record', () => {
  it('writes what start --recording answers from', async () => {
    await using issuer = await issuerElsewhere()
    const name = join(tmpdir(), `recorded-${process.pid}`)
    await writeFile(`${name}.yaml`, issuer.target)
    const target = ['--target', `${name}.yaml`, '--record', `${name}.json`]
    await using check = lumoauthHarness(
      ['check', 'issuer', 'no-token-after-completion', ...target],
      { env: { ...process.env, ...issuer.env } },
    )
    expect(await check.ends(), check.stderr).toBe(0)
    await using replay = lumoauthHarness([
      ...['start', '--json', '--port', '0', '--api-port', '0'],
      '--recording',
      `${name}.json`,
    ])
    const ready = JSON.parse((await replay.prints('stdout', /^.*\n/))[0])
    await using jit = await new LumoAuthAgent({
      ...{ env: {}, url: ready.issuer, tenant: ready.tenant },
      ...{ clientId: ready.client_id, clientSecret: ready.client_secret },
    }).jit()

    const asked = await jit.requestPermission({ type: 'anything' })

    expect(asked).toMatchObject({ status: 'approved', task_id: jit.task?.task_id })
    await expect(jit.getToken(asked)).rejects.toThrow('its task is completed')
    const text = await readFile(`${name}.json`, 'utf8')
    for (const secret of Object.values(issuer.env)) expect(text).not.toContain(secret)
  }, 60_000)
})

describe('check issuer, interrupted in the middle', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s leaves no task open',
    async (signal) => {
      await using issuer = await issuerElsewhere()
      await issuer.control('POST', '/misbehaviours', { name: 'network-slow', ms: 30 })
      const file = join(tmpdir(), `target-${signal}-${process.pid}.yaml`)
      await writeFile(file, issuer.target)
      await using check = lumoauthHarness(['check', 'issuer', '--target', file], {
        env: { ...process.env, ...issuer.env },
      })
      await check.prints('stdout', /(?:✓[\s\S]*){3}/)

      check.signal(signal)

      expect(await check.ends()).toBe(2)
      expect(check.stderr).toContain('interrupted')
      expect(await issuer.openTasks()).toEqual([])
    },
    120_000,
  )
})
