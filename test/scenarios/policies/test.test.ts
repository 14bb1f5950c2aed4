import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { defaultPolicyFile, loadPolicyTests } from '../../../scenarios/policies/load.ts'
import { runCase } from '../../../scenarios/policies/run.ts'
import { policySchema, policyTestSchema } from '../../../scenarios/policies/schema.ts'
import { Policy } from '../../../server/wire/index.ts'
import { workspace } from './world.ts'

const here = workspace()
afterAll(here.remove)

const policy = `rules:
  - name: writes need a reason
    when: { actions: write, justification_lacks: { length: 10 } }
    risk: medium
    decision: deny
    reason: Say why.
  - { name: deletes are asked, when: { actions: delete }, risk: high, decision: ask, approvers: 2, timeout: PT1M }
  - { name: the rest, risk: low, decision: approve, max_ttl: 60 }
`
here.file('policy.yaml', policy)

/** A test file with one case. */
const one = (name: string, request: string, expected: string, more = '') =>
  here.file(
    name,
    `policy: policy.yaml\n${more}cases:\n  - case: the case\n    request: ${request}\n    expect: ${expected}\n`,
  )

const reading = '{ authorization_details: { type: file_access, actions: [read] } }'

describe('policy test', { timeout: 60_000 }, () => {
  it('fails a case that expects what the policy does not say, with the place and the difference', () => {
    const expectations: readonly (readonly [string, string])[] = [
      ['{ decision: deny }', 'decision\n  expected  "deny"\n  received  "approve"'],
      ['{ rule: deletes are asked }', 'rule\n  expected  "deletes are asked"'],
      ['{ risk: high }', 'risk\n  expected  "high"\n  received  "low"'],
      ['{ ttl: { at_most: 59 } }', 'ttl\n  expected  at most 59\n  received  60'],
      ['{ approvers: 1 }', 'approvers\n  expected  1\n  received  nothing'],
      ['{ reason: Say why. }', 'reason\n  expected  "Say why."\n  received  nothing'],
      ['{ would_pass: { present: true } }', 'would_pass\n  expected  anything'],
    ]
    const cases = expectations.map(([it], at) => `  - { case: case ${at}, expect: ${it} }\n`)
    const file = here.file(
      'wrong.test.yaml',
      `policy: policy.yaml\nrequest: ${reading}\ncases:\n${cases.join('')}`,
    )

    const { status, stdout } = here.policy('test', file)

    expect(status).toBe(1)
    for (const [at, [, told]] of expectations.entries()) {
      expect(stdout.replaceAll(/^ {3}/gm, '')).toContain(told)
      expect(stdout).toMatch(
        new RegExp(
          `wrong\\.test\\.yaml:${at + 4}:\\d+: \\w+: the policy decides otherwise, by the rule "the rest" \\(policy\\.yaml:8:5\\)`,
        ),
      )
    }
  })

  it('passes a case that expects everything the policy says', () => {
    const file = one(
      'all.test.yaml',
      '{ authorization_details: { type: file_access, actions: [read, delete] }, requested_ttl: 700 }',
      '{ decision: ask, risk: high, rule: deletes are asked, ttl: 700, max_ttl: 900, approvers: 2, timeout: 60, reason: { absent: true }, would_pass: { equals: { type: file_access, actions: [read] } } }',
    )

    const { status, stdout } = here.policy('test', file)

    expect(stdout).toContain('1 passed, 0 failed, 0 skipped')
    expect(status).toBe(0)
  })

  it.each([
    ['agent', 'agent: other', '{ agent: report-* }'],
    ['ancestors', 'ancestors: [other]', '{ agent: report-* }'],
    ['task_type', 'task_type: other', '{ task_type: analysis }', 'task_type: analysis'],
    ['on_behalf_of', 'on_behalf_of: b@x.com', '{ on_behalf_of: a@x.com }', 'on_behalf_of: a@x.com'],
    ['requested_ttl', 'requested_ttl: PT1M', '{ ttl_over: 60 }', 'requested_ttl: PT2M'],
    ['score', 'score: 9.5', '{ score_from: 10 }', 'score: 10'],
    ['denials', 'denials: 1', '{ denials_from: 2 }', 'denials: 2'],
    ['agent_denials', 'agent_denials: 1', '{ agent_denials_from: 2 }', 'agent_denials: 2'],
    [
      'requests_last_minute',
      'score: 0',
      '{ requests_last_minute_from: 2 }',
      'requests_last_minute: 2',
    ],
    ['justification', 'justification: long enough', '{ justification_lacks: { length: 5 } }'],
    [
      'at',
      "at: '2026-07-15T08:30:00+02:00'",
      '{ time: { from: "08:00", to: "09:00", zone: Europe/Berlin } }',
      "at: '2026-11-24T08:30:00+01:00'",
    ],
  ])('tells the policy %s of the request', async (_, missing, when, holding = '') => {
    const file = here.file(
      'facts.test.yaml',
      `policy:
  rules:
    - { name: it, when: ${when}, risk: low, decision: approve }
    - { name: not it, risk: low, decision: deny }
request: { authorization_details: { type: x } }
cases:
  - { case: it holds, request: { ${holding} }, expect: { rule: it } }
  - { case: it does not, request: { ${missing} }, expect: { rule: ${_ === 'at' ? 'it' : 'not it'} } }
`,
    )

    const { tests, problems } = await loadPolicyTests([join(here.folder, file)])

    expect(problems).toEqual([])
    const results = tests.flatMap((it) => it.cases.map((one) => runCase(one, it)))
    expect(results.map(({ verdict }) => verdict)).toEqual(['passed', 'passed'])
  })

  it('fills a table in, and names the row of a title that does not', () => {
    const file = here.file(
      'each.test.yaml',
      `policy: policy.yaml
request: { authorization_details: { type: file_access, actions: [read] } }
cases:
  - case: \${action} is \${decision}
    each: [{ action: read, decision: approve }, { action: delete, decision: ask }]
    request: { authorization_details: { type: x, actions: [$action] } }
    expect: { decision: $decision }
  - case: a score
    each: [{ score: 1, decision: approve }, { score: 2, decision: ask }]
    request: { score: $score }
    expect: { decision: $decision }
`,
    )

    const { status, stdout } = here.policy('test', file)

    expect(stdout).toMatch(
      /✓ read is approve .*\n.*✓ delete is ask .*\n.*✓ a score \(row 1\).*\n.*✗ a score \(row 2\)/,
    )
    expect(stdout).toContain('each.test.yaml:9:67: decision: the policy decides otherwise')
    expect(status).toBe(1)
  })

  it('changes settings for a case alone, and leaves the others as the policy has them', () => {
    const file = here.file(
      'settings.test.yaml',
      `policy:
  default_ttl: 100
  rules: [{ name: it, when: { sensitive: true }, risk: low, decision: ask }, { name: not it, risk: low, decision: approve }]
request: { authorization_details: { type: x } }
cases:
  - { case: with, settings: { sensitive: { types: x } }, expect: { rule: it, ttl: 100 } }
  - { case: without, expect: { rule: not it } }
`,
    )

    expect(here.policy('test', file)).toMatchObject({ status: 0 })
  })

  it('tells which rules decided nothing, and which conditions never held or failed', () => {
    const file = one('gaps.test.yaml', reading, '{ decision: approve }')

    const { status, stdout } = here.policy('test', file)

    expect(stdout).toContain(
      `coverage of policy.yaml: 44 % (4 of 9); 1 of 3 rules decided something
  policy.yaml:2:5: the rule "writes need a reason" decided nothing
  policy.yaml:3:13: actions never held in "writes need a reason"
  policy.yaml:3:29: justification_lacks never failed in "writes need a reason"
  policy.yaml:7:5: the rule "deletes are asked" decided nothing
  policy.yaml:7:40: actions never held in "deletes are asked"
`,
    )
    expect(status).toBe(0)
  })

  it('fails below the minimum of coverage, in every report and at the lines of the policy', () => {
    const file = one('gaps.test.yaml', reading, '{ decision: approve }')

    const { status, stdout } = here.policyWith(
      { GITHUB_ACTIONS: 'true' },
      ...['test', file, '--min-coverage', '45', '--report', 'junit=junit.xml'],
    )

    expect(status).toBe(1)
    expect(stdout).toContain('1 passed, 1 failed')
    expect(stdout).toContain('::error file=policy.yaml,line=7,col=40,title=coverage of policy.yaml')
    expect(readFileSync(join(here.folder, 'junit.xml'), 'utf8')).toContain('tests="2" failures="1"')
    expect(here.policy('test', file, '--min-coverage', '44').status).toBe(0)
  })

  it('counts the coverage of a policy over all files that test it', () => {
    const rest = here.file(
      'rest.test.yaml',
      `policy: policy.yaml
cases:
  - case: an unexplained write is denied
    request: { authorization_details: { type: x, actions: [write] } }
    expect: { decision: deny, reason: Say why. }
  - case: an explained write is not
    request: { authorization_details: { type: x, actions: [write] }, justification: long enough it is }
    expect: { decision: approve }
  - case: a delete is asked
    request: { authorization_details: { type: x, actions: [delete] } }
    expect: { decision: ask }
`,
    )
    const file = one('gaps.test.yaml', reading, '{ decision: approve }')

    const { stdout, status } = here.policy('test', rest, file, '--min-coverage', '100')

    expect(stdout).toContain('coverage of policy.yaml: 100 % (9 of 9); 3 of 3 rules')
    expect(status).toBe(0)
  })

  it('writes the reports of scenarios', () => {
    const file = one('one.test.yaml', reading, '{ decision: deny }')
    const formats = ['junit', 'ctrf', 'html', 'json', 'markdown', 'transcript']

    const orders = formats.flatMap((it) => ['--report', `${it}=report.${it}`])
    const { status } = here.policy('test', file, ...orders, '--report', 'terminal')

    expect(status).toBe(1)
    for (const it of formats) {
      const text = readFileSync(join(here.folder, `report.${it}`), 'utf8')
      expect(text).toContain('the case')
      if (it !== 'transcript') expect(text).toContain('the policy decides otherwise')
    }
  })

  it('runs only what is named, and then counts no coverage', () => {
    const file = one('one.test.yaml', reading, '{ decision: approve }')

    expect(here.policy('test', file, '--only', 'THE CASE').stdout).not.toContain('coverage')
    expect(here.policy('test', file, '--only', 'nothing')).toMatchObject({
      status: 2,
      stderr: 'lumoauth-harness: no case has "nothing" in its title\n',
    })
  })
})

describe('what is wrong with files', { timeout: 60_000 }, () => {
  it('is told all at once, each with its place, and nothing is run', () => {
    here.file(
      'bad/bad.yaml',
      'max_tll: 5\nrules:\n  - { name: a, risk: low, decision: aprove, when: { tipe: x } }\n  - { name: b, risk: low, decision: ask, approvers: two }\n',
    )
    here.file('bad/a.test.yaml', 'policy: bad.yaml\ncases: []\n')
    here.file(
      'bad/b.test.yaml',
      `polcy: x
policy: nowhere.yaml
cases:
  - { case: a, request: { agnet: x }, expect: { decision: approve } }
  - { case: b, request: {}, expect: {} }
`,
    )
    here.file(
      'bad/c.test.yaml',
      `cases:
  - case: a
    request: { authorization_details: { type: x, actions: read }, score: -1 }
    expect: { decision: approved, rule: reads are aproved, ttl: { at_most: x } }
  - case: b
    each: [{ action: read }]
    request: { authorization_details: { type: $typ, actions: [$action] } }
    expect: { decision: ask }
  - case: c
    each: [{ action: read }, { action: 3 }]
    request: { authorization_details: { type: x, actions: [$action] } }
    expect: { decision: ask }
  - case: d
    expect: { decision: ask }
`,
    )

    const { status, stdout, stderr } = here.policy('test', 'bad')

    expect(status).toBe(2)
    expect(stdout).toBe('')
    expect(stderr.split('\n').filter((it) => it.startsWith('bad'))).toEqual([
      'bad/a.test.yaml:2:8: expected at least 1 of them, not []',
      'bad/b.test.yaml:1:1: unknown key "polcy"; did you mean "policy"?',
      expect.stringMatching(
        /^bad\/b\.test\.yaml:2:9: there is no .*nowhere\.yaml: expected the path of a policy file$/,
      ),
      'bad/b.test.yaml:4:27: unknown key "agnet"; did you mean "agent"?',
      'bad/b.test.yaml:5:37: expected something that the policy should say, such as decision: approve, not {}',
      'bad/bad.yaml:1:1: unknown key "max_tll"; did you mean "max_ttl"?',
      'bad/bad.yaml:3:37: expected approve, ask, deny, not "aprove"',
      'bad/bad.yaml:3:53: unknown key "tipe"; did you mean "type"?',
      'bad/bad.yaml:4:53: expected a number, not "two"',
      'bad/c.test.yaml:3:59: expected an array, not "read"',
      'bad/c.test.yaml:3:74: expected at least 0, not -1',
      'bad/c.test.yaml:4:25: unknown decision "approved"; did you mean "approve"?',
      'bad/c.test.yaml:4:41: the policy has no rule "reads are aproved"; did you mean "reads are approved"?',
      expect.stringMatching(/^bad\/c\.test\.yaml:4:76: .*"at_most" takes/),
      'bad/c.test.yaml:7:47: unknown variable $typ; expected a name of each',
      'bad/c.test.yaml:10:40: expected a string, not 3',
      'bad/c.test.yaml:13:5: "authorization_details" is missing: expected an object',
    ])
  })

  it.each([
    ['a: [', /^lumoauth-harness: 1 mistake; nothing was run\nbad\.test\.yaml:1:5: /],
    ['3', /bad\.test\.yaml:1:1: expected tests of a policy: an object with "cases"/],
    ['', /bad\.test\.yaml:1:1: expected tests of a policy/],
  ])('is told of a file that is %j', (text, told) => {
    const { status, stderr } = here.policy('test', here.file('bad.test.yaml', text))

    expect(stderr).toMatch(told)
    expect(status).toBe(2)
  })

  it.each([
    [['test'], "missing required argument 'file' (see --help)"],
    [['test', 'nowhere.yaml'], 'no test file matches "nowhere.yaml"'],
    [
      ['test', '--min-covrage', '1', 'x'],
      "unknown option '--min-covrage' (Did you mean --min-coverage?)",
    ],
    [
      ['test', 'x', '--min-coverage', '101'],
      "argument '101' is invalid. Expected a whole number from 0 to 100.",
    ],
    [['tset'], "unknown command 'tset' (Did you mean test?)"],
  ])('on the command line is told: %j', (args, told) => {
    const { status, stderr } = here.policy(...args)

    expect(stderr).toContain(told)
    expect(status).toBe(2)
  })
})

describe('the default policy', () => {
  it('as a file is the one that the issuer has', () => {
    expect(Policy.parse(parse(readFileSync(defaultPolicyFile(), 'utf8')))).toEqual(Policy.parse({}))
  })

  it('passes its own tests, which cover all of it', { timeout: 60_000 }, () => {
    const tests = defaultPolicyFile().replace('.yaml', '.test.yaml')

    const { stdout, status } = here.policy('test', tests, '--min-coverage', '100')

    expect(stdout).toContain('100 % (34 of 34); 12 of 12 rules decided something')
    expect(status).toBe(0)
  })

  it('is what a test file without a policy tries', async () => {
    const file = join(
      here.folder,
      here.file(
        'none.test.yaml',
        `cases: [{ case: a, request: ${reading}, expect: { rule: reads are approved } }]`,
      ),
    )

    const { tests, problems } = await loadPolicyTests([file])

    expect(problems).toEqual([])
    expect(tests[0]?.policy.policy).toEqual(Policy.parse({}))
  })
})

describe('the JSON Schemas of policies and their tests', () => {
  const validator = (schema: object) => {
    const ajv = new Ajv({ strict: false, allErrors: true })
    ;(addFormats as unknown as (it: Ajv) => void)(ajv)
    return ajv.compile(schema)
  }
  const written = (path: string) =>
    parse(readFileSync(new URL(`../../../scenarios/policies/${path}`, import.meta.url), 'utf8'))

  it('accept the default policy and its tests', () => {
    const [policies, tests] = [validator(policySchema()), validator(policyTestSchema())]
    policies(written('default.yaml'))
    tests(written('default.test.yaml'))

    expect(policies.errors ?? []).toEqual([])
    expect(tests.errors ?? []).toEqual([])
  })

  it.each([
    { cases: [{ case: 'a', expect: { decison: 'ask' } }] },
    { cases: [{ case: 'a', request: { agnet: 'x' }, expect: { decision: 'ask' } }] },
    { cases: [{ case: 'a', request: { score: 'many' }, expect: { decision: 'ask' } }] },
    { cases: [] },
  ])('reject %j', (value) => {
    expect(validator(policyTestSchema())(value)).toBe(false)
  })
})
