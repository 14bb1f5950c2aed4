import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LumoAuthAgent } from '../../client/index.ts'
import { deviationsOf } from '../../scenarios/checks/deviations.ts'
import type { Target } from '../../scenarios/language/target.ts'
import { countsOf } from '../../scenarios/runner/verdict.ts'
import { mock } from '../../scenarios/targets/mock/mock.ts'
import { misbehaviours } from '../../server/misbehaviours/catalogue.ts'
import { Dialect, dialects, Policy } from '../../server/wire/index.ts'
import { figure } from '../support/figure.ts'
import { lumoauthHarness } from '../support/running.ts'
import { checked, failed, ofIssuer, ours, suite } from './checked.ts'
import { type Issuer, issuerElsewhere } from './issuer.ts'

let referenceMock: Target
beforeAll(async () => {
  referenceMock = await mock('fetch')
})
afterAll(async () => {
  await referenceMock.close()
})

describe('check issuer against our issuer in another process', () => {
  it('finds no deviation, and leaves no task open', async () => {
    await using issuer = await issuerElsewhere()

    const { results, usage } = await checked(issuer, [...ours, ...suite], referenceMock)

    expect(failed(results)).toEqual([])
    expect(results.filter((it) => it.verdict === 'passed').length).toBeGreaterThan(150)
    expect(usage.requests).toBeLessThan(2500)
    figure('check issuer, ours in another process', { ...countsOf(results), ...usage })
    expect(await issuer.openTasks()).toEqual([])
    const { entries } = (await issuer.control('GET', '/journal')) as { entries: { type: string }[] }
    const denials = entries.filter((it) => it.type === 'permission.denied').length
    figure('denials of one check', { denials })
    expect(denials).toBeGreaterThan(0)
    expect(10 * denials).toBeLessThan(Policy.parse({}).scoring.agent_denials)
  }, 240_000)

  it('waits until a request has expired, if it expires soon', async () => {
    await using issuer = await issuerElsewhere()
    await issuer.control('PUT', '/policy', { approval_timeout: 2 })
    const target = issuer.target.replace('wait: PT2S', 'wait: PT4S')
    const about = ours.filter(({ file }) => /expire/.test(file))

    const { results } = await checked({ ...issuer, target }, about, referenceMock)

    expect(failed(results)).toEqual([])
    const waited = results.filter(({ file }) => /request-expires|expired-request/.test(file))
    expect(waited.map((it) => it.verdict)).toEqual(['passed', 'passed'])
  }, 60_000)

  it('detects every switch of another dialect', async () => {
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

    const { results, found, usage } = await checked(issuer, [...ours, ...suite], referenceMock)

    expect(failed(results)).toEqual([])
    expect(Object.keys(found).length).toBeGreaterThan(10)
    for (const [name, value] of Object.entries(found)) expect(other[name]).toBe(value)
    const switches = Object.keys(found).length
    figure('check issuer, ours in another dialect', { ...countsOf(results), ...usage, switches })
  }, 480_000)
})

/**
 * Misbehaviours that are invisible from outside in the given time, without setting policy, clock or
 * budget.
 */
const unseen: Readonly<Record<string, string>> = {
  'issuer-accepts-expired-bearer':
    'an agent’s own token lives an hour, and no other is a bearer here',
  'issuer-outlives-task': 'a task lives an hour, and no token longer than a quarter of one',
  'issuer-exchanges-late': 'an approval lives five minutes, however short its token',
  'issuer-counts-approver-twice': 'no policy asks for two approvers',
  'issuer-ignores-budget': 'no agent has a small budget',
  'issuer-publishes-key-late': 'a real issuer is not told to publish a key that does not sign yet',
  'issuer-signs-with-newest-key':
    'a real issuer is not told to publish a key that does not sign yet',
  'issuer-forgets-the-chosen-agent': 'a person consents there, with a browser',
}

/** Rules that need what a real target does not offer. */
const unseenRules: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['PKCE', 'REDIRECT', 'STATE', 'CONSENT', 'CODE', 'REFRESH', 'PAR-ONCE'].map((it) => [
      `LUMO-${it}`,
      'a person consents there, with a browser',
    ]),
  ),
  'CC-15': 'the assertion is signed at the control plane',
  'INT-06': 'a second client takes the control plane',
  'JSON-DEPTH': 'that nothing was requested is seen in the journal only',
  'LUMO-ATTEST': 'workloads are seeds',
  'LUMO-AUTHORIZE-REFUSALS': 'the redirect_uri of the scenario is a seed',
  'LUMO-AUTHZEN': 'users with given permissions are seeds',
  'LUMO-CIBA': 'the user whom the agent asks is a seed',
  'LUMO-DEVICE': 'the application of the device is a seed',
  'LUMO-LOGOUT': 'the application with URIs for logout is a seed',
  'LUMO-TOKEN-VAULT': 'connections are seeds',
  'LUMO-USERINFO-SCOPE': 'a user token with a scope is minted at the control plane',
  'LUMO-APPROVE-CLIENT': 'a person consents there, with a browser',
  'LUMO-NOTES': 'the record of who decided is seen in the journal only',
  'LUMO-ROOT': 'an agent with a small budget takes the control plane',
  'POLICY-SHARE': 'a small bound takes a policy of our own',
  'POLICY-HYPOTHETICAL': 'the policy is asked at the control plane',
  'POLICY-EXPLAINS': 'the policy is asked at the control plane',
  'POLICY-TIME': 'hours of the day take a policy of our own, and a clock that is moved',
}

/** Dialect switches that a target must declare, so that other behaviour counts as a deviation. */
const told: Readonly<Record<string, string>> = {
  'issuer-exchanges-twice': 'dialect: { repeated_exchange: "no" }',
  'issuer-forgets-deny-reason': 'dialect: { denial_text: agent_message }',
}

/** Needs an issuer whose requests expire during the check. */
const brief = ['issuer-approves-expired', 'issuer-ignores-request-expiry']
const briefly = { approval_timeout: 2 }

/** The documented table without its bound on an agent's denials: the runs follow within 600 s. */
const boundless = {
  rules: Policy.parse({}).rules.filter(({ when }) => when.agent_denials_from === undefined),
  scoring: { agent_denials: 1_000_000 },
}

/** One misbehaviour in eight; all with `INTEROP=all`. */
describe('a misbehaving issuer', () => {
  let issuer: Issuer
  beforeAll(async () => {
    issuer = await issuerElsewhere()
  }, 60_000)
  afterAll(() => issuer[Symbol.asyncDispose]())

  const all = misbehaviours
    .filter((it) => it.seat === 'issuer')
    .filter((_, index) => process.env.INTEROP === 'all' || index % 8 === 0)
    .map((it) => ({ ...it, reason: unseen[it.name] ?? unseenRules[it.breaks] }))
  const named = async ({ name, breaks }: (typeof all)[number]) => {
    await issuer.control('PUT', '/policy', {
      ...boundless,
      ...(brief.includes(name) ? briefly : {}),
    })
    await issuer.control('POST', '/misbehaviours', { name })

    const about = [...ours, ...suite.filter((it) => it.covers.includes(breaks))]
    const target = issuer.target
      .replace('tenant: acme }', `tenant: acme${told[name] ? `, ${told[name]}` : ''} }`)
      .replace('wait: PT2S', 'wait: PT4S')
    const { results } = await checked({ ...issuer, target }, about, referenceMock).finally(() =>
      issuer.control('DELETE', '/misbehaviours'),
    )

    return deviationsOf(results, ofIssuer).map((it) => it.rule)
  }

  it.each(all.filter((it) => it.reason === undefined))(
    '$name is reported under $breaks',
    async (it) => {
      expect(await named(it)).toContain(it.breaks)
    },
    120_000,
  )

  it.each(all.filter((it) => it.reason !== undefined))(
    '$name is not reported: $reason',
    async (it) => {
      expect(await named(it)).not.toContain(it.breaks)
    },
    120_000,
  )
})

describe('check issuer --record', () => {
  it('writes a recording that start --recording answers from', async () => {
    await using issuer = await issuerElsewhere()
    const name = join(tmpdir(), `recorded-${process.pid}`)
    await writeFile(`${name}.yaml`, issuer.target)
    const target = ['--target', `${name}.yaml`, '--record', `${name}.json`]
    await using check = lumoauthHarness(
      ['check', 'issuer', 'exchange-after-completion', ...target],
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
    await expect(jit.getToken(asked)).rejects.toThrow('the task is completed')
    const text = await readFile(`${name}.json`, 'utf8')
    for (const secret of Object.values(issuer.env)) expect(text).not.toContain(secret)
  }, 60_000)
})

describe('check issuer interrupted in the middle', () => {
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
