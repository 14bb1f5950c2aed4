import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lumoauthHarness, type Running } from '../support/running.ts'
import { type Issuer, issuerElsewhere } from './issuer.ts'

const approves = 'approved-request-gets-token'

/** `check issuer` with a person who decides; under one prefix, so that the person is asked once. */
const checking = async (issuer: Issuer, patience: string, ...args: string[]) => {
  await issuer.control('PUT', '/policy', { poll_interval: 1 })
  const name = join(tmpdir(), `manual-${process.pid}-${new URL(issuer.issuer).port}`)
  const target = issuer.target
    .replace('tenant: acme }', 'tenant: acme, prefix: tenant }\napprover: manual')
    .replace('wait: PT2S', `wait: PT10S, person: ${patience}`)
  await writeFile(`${name}.yaml`, target)
  const report = `${name}.json`
  const check = lumoauthHarness(
    ['check', 'issuer', ...args, '--target', `${name}.yaml`, '--report', `json=${report}`],
    { env: { ...process.env, ...issuer.env } },
  )
  const results = async () => {
    const { runs } = JSON.parse(await readFile(report, 'utf8')) as {
      runs: {
        results: { verdict: string; reason?: string; failures: { message: string }[] }[]
      }[]
    }
    const results = runs.flatMap((it) => it.results)
    return results.map(({ verdict, reason, failures }) => ({
      verdict,
      ...(reason && { reason }),
      said: failures.map(({ message }) => message),
    }))
  }
  return { check, results }
}

/** The printed question, and its link. */
const asked = async (check: Running) => {
  const line = /^please (\w+) the request (\S+) at (\S+)(.*)$/m
  const [, decision = '', id = '', link = '', how = ''] = await check.prints('stdout', line)
  return { decision, id, link, how }
}

/** A person with a browser, who follows this link. */
const follow = async (issuer: Issuer, link: string) => {
  const way = await fetch(link, { redirect: 'manual' })
  const page = new URL(way.headers.get('location') ?? '', link)
  const { url } = (await issuer.control('POST', '/console-link', {
    user: 'ada@corp.example',
  })) as { url: string }
  const { origin } = page
  const json = { origin, 'content-type': 'application/json' }
  const opened = await fetch(`${origin}${page.pathname}/session`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ code: new URL(url).hash.replace('#code=', '') }),
  })
  const { csrf_token } = (await opened.json()) as { csrf_token: string }
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? ''
  return {
    page,
    decides: async (id: string, decision: string, body: object = {}) => {
      const { status } = await fetch(`${origin}${page.pathname}/requests/${id}/${decision}`, {
        method: 'POST',
        headers: { ...json, cookie, 'x-csrf-token': csrf_token },
        body: JSON.stringify(body),
      })
      return status
    },
  }
}

describe('check issuer with approval by a person', () => {
  it('prints the approval link, and continues after the approval', async () => {
    await using issuer = await issuerElsewhere()
    const { check, results } = await checking(issuer, 'PT1M', approves)
    await using _ = check

    const { decision, id, link, how } = await asked(check)
    const person = await follow(issuer, link)
    expect(person.page.pathname + person.page.hash).toMatch(/^\/console\/acme#\/tasks\/task_/)
    expect(await person.decides(id, decision, { notes: 'Fine by me' })).toBe(200)

    expect(how).toMatch(/^ with the reason "Fine by me" until \d{4}-/)
    expect(await check.ends(), check.stderr).toBe(0)
    expect(await results()).toEqual([{ verdict: 'passed', said: [] }])
    expect(await issuer.openTasks()).toEqual([])
  }, 60_000)

  it('skips a scenario whose request the person denied, and fails none', async () => {
    await using issuer = await issuerElsewhere()
    const { check, results } = await checking(issuer, 'PT1M', approves)
    await using _ = check

    const { id, link } = await asked(check)
    expect(await (await follow(issuer, link)).decides(id, 'deny')).toBe(200)

    expect(await check.ends(), check.stderr).toBe(0)
    const reason = 'the person was asked to approve the request, but it is denied'
    expect(await results()).toMatchObject([{ verdict: 'skipped', reason }])
    expect(await issuer.openTasks()).toEqual([])
  }, 60_000)

  it('skips a scenario whose request expired without a decision', async () => {
    await using issuer = await issuerElsewhere()
    const { check, results } = await checking(issuer, 'PT1S', approves)
    await using _ = check

    await asked(check)

    expect(await check.ends(), check.stderr).toBe(0)
    const reason = 'no person decided within 1 s (approver: manual; limits: { person: … })'
    expect(await results()).toMatchObject([{ verdict: 'skipped', reason }])
    expect(await issuer.openTasks()).toEqual([])
  }, 60_000)

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stops waiting at %s, and leaves no task open',
    async (signal) => {
      await using issuer = await issuerElsewhere()
      const { check, results } = await checking(issuer, 'PT1H', approves)
      await using _ = check
      await asked(check)
      expect(await issuer.openTasks()).toHaveLength(1)

      check.signal(signal)

      expect(await check.ends()).toBe(2)
      expect(check.stderr).toContain('interrupted')
      expect(await results()).toMatchObject([{ verdict: 'skipped', reason: 'interrupted' }])
      expect(await issuer.openTasks()).toEqual([])
    },
    60_000,
  )

  it('asks a person only for decisions that can be explained beforehand', async () => {
    await using issuer = await issuerElsewhere()
    const { check, results } = await checking(
      issuer,
      'PT1M',
      'approvals/denied-request-shows-deny-reason',
    )
    await using _ = check

    expect(await check.ends(), check.stderr).toBe(0)
    expect(check.stdout).not.toContain('please')
    for (const { verdict } of await results()) expect(verdict).toBe('skipped')
  }, 60_000)
})
