import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { reports } from '../../../scenarios/reports/formats.ts'
import type { ReportFormat } from '../../../scenarios/reports/report.ts'
import { terminal } from '../../../scenarios/reports/terminal.ts'
import { run } from '../../../scenarios/runner/run.ts'
import type { Result, Run } from '../../../scenarios/runner/verdict.ts'
import { fakeTarget, refusal, scenarioOf } from '../support.ts'

const yaml = (title: string, step: string) => `scenario: ${title}\nsteps:\n  - ${step}\n`

/** A passed result, a failed one with difficult characters, and a skipped one. */
const sample = async (): Promise<Run> => {
  const nasty = `<b>"&'|\` \\ ]]> \u0007`
  const target = fakeTarget(
    (request) =>
      request.url.startsWith('https://api.test/')
        ? refusal(403, nasty)
        : Response.json({ keys: [{ kty: 'RSA', kid: 'a', use: 'sig', alg: 'RS256' }] }),
    { capabilities: [] },
  )
  const scenarios = [
    scenarioOf(yaml('The keys are there', 'discover: jwks'), 'suite/oauth/keys.yaml'),
    scenarioOf(
      yaml('A | <script>alert(1)</script> & more', 'call: GET /v1/x\n    with: none'),
      'suite/tokens/x.yaml',
    ),
    scenarioOf(yaml('People approve at last', 'approve: { request_id: x }'), 'suite/tokens/y.yaml'),
  ]
  const done = await run(scenarios, target)
  return {
    ...done,
    startedAt: 1_795_489_200_000,
    duration: 1234,
    results: done.results.map((it) => ({ ...it, duration: 12 })),
  }
}

const report = async (format: ReportFormat) => reports[format]([await sample()])

describe('the terminal report', () => {
  it('shows position, line, expected and received of a failure', async () => {
    const text = await report('terminal')

    expect(text).toContain('suite/tokens/x.yaml:3:5: expected success, answered 403 <b>')
    expect(text).toContain('> 3 |   - call: GET /v1/x\n       |     ^')
    expect(text).toContain('GET https://api.test/t/tokens-x/v1/x')
  })

  it('groups by theme and ends in a line with counts', async () => {
    const text = await report('terminal')

    expect(text.startsWith('oauth\n  ✓ The keys are there 12 ms\n\ntokens\n  ✗ A | <script>')).toBe(
      true,
    )
    expect(text).toContain('  - People approve at last skipped: the target lacks approver')
    expect(text.endsWith('1 passed, 1 failed, 1 skipped of 3 scenarios in 1.23 s\n')).toBe(true)
  })

  it('prints a failure in full once, not for each prefix and host', async () => {
    const scenario = scenarioOf(
      `prefix: both\n${yaml('The keys are told', 'discover: jwks')}`,
      'suite/oauth/x.yaml',
    )
    const refused = (why: string) => fakeTarget(() => refusal(403, why))
    const runs = [await run([scenario], refused('no')), await run([scenario], refused('never'))]

    const text = terminal().failures(runs)

    expect(text.match(/expected success, answered 403 no/g)).toHaveLength(1)
    expect(text).toContain('2. The keys are told (/orgs) (oauth, fake)\n\n   fails like 1.\n')
    expect(text).toMatch(/3\. The keys are told \(oauth, fake\)\n\n.*answered 403 never/)
    expect(text).toContain('   fails like 3.\n')
  })

  it('has colours only for a stream that supports them, subject to FORCE_COLOR and NO_COLOR', async () => {
    const { results } = await sample()
    const [result] = results as [Result]
    const stream = new PassThrough()
    const inEnvironment = (FORCE_COLOR: string | undefined, NO_COLOR: string | undefined) => {
      vi.stubEnv('FORCE_COLOR', FORCE_COLOR)
      vi.stubEnv('NO_COLOR', NO_COLOR)
      return terminal({ stream }).result(result, undefined)
    }
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const plain = terminal().result(result, undefined)

    expect(inEnvironment(undefined, undefined)).toBe(plain)
    expect(inEnvironment(undefined, '1')).toBe(plain)
    const colored = inEnvironment('1', undefined)
    expect(colored).not.toBe(plain)
    expect(stripVTControlCharacters(colored)).toBe(plain)
    expect(terminal().result(result, undefined)).toBe(plain)
  })

  it('shows the progress', async () => {
    const { results } = await sample()

    expect(terminal().progress(results, 6)).toBe('██████████░░░░░░░░░░ 3/6, 1 failed')
  })
})

describe('the JUnit report', () => {
  it('is well-formed for any answer', async () => {
    const xml = await report('junit')

    expect(xml).not.toContain(String.fromCharCode(7))
    expect(xml.match(/<testcase /g)).toHaveLength(3)
    expect(xml).toContain('name="A | &lt;script&gt;alert(1)&lt;/script&gt; &amp; more"')
    expect(xml).toContain(
      '<failure type="expectation" message="expected success, answered 403 &lt;b&gt;&quot;&amp;',
    )
    expect(xml.replaceAll(/<[^<>]*>/g, '')).not.toMatch(/[<>]/)
  })

  it('counts', async () => {
    expect(await report('junit')).toContain(
      '<testsuites name="lumoauth-harness" tests="3" failures="1" skipped="1" time="1.234">',
    )
  })
})

describe('the CTRF report', () => {
  it('has the members its schema requires', async () => {
    const { reportFormat, specVersion, results } = JSON.parse(await report('ctrf'))

    expect({ reportFormat, specVersion }).toEqual({ reportFormat: 'CTRF', specVersion: '0.0.0' })
    expect(results.summary).toEqual({
      tests: 3,
      passed: 1,
      failed: 1,
      pending: 0,
      skipped: 1,
      other: 0,
      start: 1_795_489_200_000,
      stop: 1_795_489_201_234,
    })
    expect(results.tests[1]).toMatchObject({
      status: 'failed',
      duration: 12,
      filePath: 'suite/tokens/x.yaml',
    })
    expect(results.tests[2]).toMatchObject({
      status: 'skipped',
      message: 'the target lacks approver',
    })
  })
})

describe('the Markdown report', () => {
  it('escapes markup in texts of scenarios and servers', async () => {
    const text = await report('markdown')

    expect(text).toContain('### A \\| &lt;script>alert(1)&lt;/script> &amp; more (fake)')
    expect(text).toContain('| ❌ | A \\| &lt;script>')
    expect(text.startsWith('## ❌ 1 of 3 scenarios passed')).toBe(true)
  })

  it('fences failures with more backticks than they contain', async () => {
    const failing = await sample()
    const results = failing.results.map((it) => ({
      ...it,
      failures: it.failures.map((failure) => ({ ...failure, message: 'odd ````' })),
    }))

    expect(reports.markdown([{ ...failing, results }])).toContain('`````text\n')
  })
})

describe('the JSON report', () => {
  it('has all results with their exchanges', async () => {
    const { counts, runs } = JSON.parse(await report('json'))

    expect(counts).toEqual({ total: 3, passed: 1, failed: 1, skipped: 1 })
    expect(runs[0].results[1].exchanges[0].answer.status).toBe(403)
  })
})
