import { afterAll, describe, expect, it } from 'vitest'
import { lintPolicy } from '../../../scenarios/policies/lint.ts'
import { readPolicy } from '../../../scenarios/policies/policy-source.ts'
import { workspace } from './world.ts'

const here = workspace()
afterAll(here.remove)

/** Findings and notes as lines, for a policy with the given rules, a line each. */
const lint = (rules: readonly string[], { approvers = 1, more = '' } = {}) => {
  const text = `${more}rules:\n${rules.map((it) => `  - { risk: low, ${it} }\n`).join('')}`
  const { policy, problems } = readPolicy('policy.yaml', text)
  if (policy === undefined) throw new Error(problems.map(({ message }) => message).join('\n'))
  const { findings, notes } = lintPolicy(policy, approvers)
  return {
    findings: findings.map(({ kind, at, message }) => `${at.line}: ${kind}: ${message}`),
    examples: findings.map(({ example }) => example),
    notes: notes.map(({ at, message }) => `${at.line}: ${message}`),
  }
}

const rest = 'name: the rest, decision: deny'

describe('a rule that never applies', () => {
  it('is reported with the earlier rule that matches everything, and an example', () => {
    const { findings, examples } = lint([
      "name: files, decision: ask, when: { type: 'file_*' }",
      'name: reads of files, decision: deny, when: { type: file_access, actions: read }',
      rest,
    ])

    expect(findings).toEqual([
      '3: never-applies: "reads of files" never applies: the earlier rule "files" (policy.yaml:2:5) takes all it would',
    ])
    expect(examples).toEqual([
      { authorization_details: { type: 'file_access', actions: ['read'] } },
    ])
  })

  it('is reported with the rules that match everything together, and no others', () => {
    const { findings } = lint([
      'name: payments, decision: ask, when: { type: payment }',
      'name: for a user, decision: ask, when: { on_behalf_of: true }',
      'name: late, decision: deny, when: { requests_last_minute_from: 9 }',
      'name: alone, decision: deny, when: { on_behalf_of: false }',
      rest,
    ])

    expect(findings).toEqual([
      '6: never-applies: "the rest" never applies: the earlier rules "for a user" (policy.yaml:3:5), "alone" (policy.yaml:5:5) together take all it would',
    ])
  })

  it.each([
    [
      'a rule that approves needs every action',
      'decision: approve, when: { actions: [read, list] }',
      'decision: deny, when: { actions: read }',
    ],
    [
      'a window in another zone',
      'decision: ask, when: { time: { from: "09:00", to: "17:00" } }',
      'decision: deny, when: { time: { from: "09:00", to: "17:00", zone: Europe/Berlin } }',
    ],
    [
      'an identifier that begins alike',
      "decision: ask, when: { identifier: 'a/*' }",
      "decision: deny, when: { identifier: 'a*' }",
    ],
    [
      'a lower score',
      'decision: ask, when: { score_from: 10 }',
      'decision: deny, when: { score_from: 9.5 }',
    ],
    [
      'a justification with a pattern',
      'decision: ask, when: { justification_lacks: { length: 9 } }',
      "decision: deny, when: { justification_lacks: { pattern: '^T-' } }",
    ],
  ])('is not reported when one request is left: %s', (_, first, second) => {
    const { findings, notes } = lint([`name: a, ${first}`, `name: b, ${second}`, rest])

    expect(findings.filter((it) => it.includes('never-applies'))).toEqual([])
    expect(notes).toEqual([])
  })

  it.each([
    [
      'the same actions, any of them',
      'decision: ask, when: { actions: [read, list] }',
      'decision: approve, when: { actions: [read, list] }',
    ],
    [
      'the same hours by another clock',
      'decision: ask, when: { time: { from: "08:00", to: "16:00", zone: Africa/Lagos } }',
      'decision: deny, when: { time: { from: "07:00", to: "15:00", zone: UTC } }',
    ],
    [
      'patterns that overlap',
      "decision: ask, when: { identifier: '*a*' }",
      "decision: deny, when: { identifier: 'x*a*y' }",
    ],
    [
      'a longer lifetime',
      'decision: ask, when: { ttl_over: 60 }',
      'decision: deny, when: { ttl_over: PT5M }',
    ],
    [
      'a shorter justification',
      'decision: ask, when: { justification_lacks: { length: 9 } }',
      'decision: deny, when: { justification_lacks: { length: 5 } }',
    ],
  ])('is reported when none is left: %s', (_, first, second) => {
    const { findings } = lint([`name: a, ${first}`, `name: b, ${second}`, rest])

    expect(findings).toContainEqual(expect.stringMatching(/^3: never-applies: "b" .* "a"/))
  })
})

describe('conditions', () => {
  it.each([
    [
      'time and outside',
      'time: { from: "09:00", to: "17:00" }, outside: { from: "08:00", to: "18:00" }',
    ],
    ['type and undocumented_actions', 'type: scope, undocumented_actions: true'],
  ])('that contradict each other are reported: %s', (names, when) => {
    const { findings } = lint([`name: a, decision: ask, when: { agent: x, ${when} }`, rest])

    expect(findings).toEqual([`2: contradiction: no request meets ${names} of "a" together`])
  })

  it('that contradict an approving rule are reported', () => {
    const { findings } = lint([
      'name: a, decision: approve, when: { actions: [read], undocumented_actions: true }',
      rest,
    ])

    expect(findings).toEqual([
      '2: contradiction: no request meets actions and undocumented_actions of "a" together',
    ])
  })

  it('on sensitive data are noted when no type is sensitive', () => {
    const rules = ['name: a, decision: ask, when: { sensitive: true }', rest]

    expect(lint(rules)).toMatchObject({
      findings: [],
      notes: [`2: "a" applies to nothing while the policy's "sensitive" names nothing`],
    })
    expect(lint(rules, { more: 'sensitive: { types: x }\n' })).toMatchObject({ notes: [] })
  })
})

describe('a pattern that matches nothing', () => {
  it.each([
    [
      'of a user who is no e-mail address',
      'on_behalf_of: [alice, "*@x.io"]',
      'on_behalf_of: "alice" never matches: it is not an e-mail address',
    ],
    [
      'that is longer than a type',
      `type: [x, ${'y'.repeat(257)}]`,
      `type: "${'y'.repeat(257)}" never matches: it is too long`,
    ],
    [
      'that RE2 cannot read',
      "justification_lacks: { pattern: '((a{900}){900}){900}' }",
      'RE2 cannot read /((a{900}){900}){900}/, so that it never matches',
    ],
    [
      'for a justification that is too long',
      'justification_lacks: { length: 5000 }',
      'a justification has at most 4096 characters',
    ],
  ])('is reported: %s', (_, when, told) => {
    const { findings } = lint([`name: a, decision: ask, when: { ${when} }`, rest])

    expect(findings).toContain(`2: pattern-never-matches: ${told}`)
  })

  it('is noted when it cannot be computed', () => {
    const { findings, notes } = lint([
      "name: a, decision: ask, when: { justification_lacks: { pattern: 'a$b' } }",
      'name: b, decision: ask, when: { justification_lacks: { length: 5 } }',
      rest,
    ])

    expect(findings).toEqual([])
    expect(notes).toEqual([
      '2: cannot know whether any justification matches /a$b/',
      '3: cannot know whether "b" ever applies',
      '4: cannot know whether "the rest" ever applies',
    ])
  })
})

describe('an unknown action', () => {
  it('is reported with the closest known action', () => {
    const { findings, examples } = lint([
      'name: a, decision: ask, when: { type: file_access, actions: [delet] }',
      rest,
    ])

    expect(findings).toEqual([
      '2: unknown-action: no known type has an action "delet"; did you mean "delete"?',
    ])
    expect(examples).toEqual([
      { authorization_details: { type: 'file_access', actions: ['delet'] } },
    ])
  })

  it('is not reported for an unknown type', () => {
    const { findings } = lint([
      'name: a, decision: ask, when: { type: invoice, actions: [settle] }',
      rest,
    ])

    expect(findings).toEqual([])
  })
})

describe('an approving rule', () => {
  it('that accepts unknown actions and privileges is reported, with a request for each', () => {
    const { findings, examples } = lint(['name: all, decision: approve'])

    expect(findings).toEqual([
      '2: approves-unknown: "all" approves actions that the policy does not name',
      '2: approves-unknown: "all" approves any privileges',
    ])
    expect(examples).toEqual([
      { authorization_details: { type: 'file_access', actions: ['other'] } },
      { authorization_details: { type: 'file_access', privileges: ['other'] } },
    ])
  })

  it('after rules that match these is not reported', () => {
    const { findings } = lint([
      'name: a, decision: ask, when: { undocumented_actions: true }',
      'name: b, decision: ask, when: { privileges: "*" }',
      'name: c, decision: ask, when: { type: scope }',
      'name: all, decision: approve',
    ])

    expect(findings).toEqual([])
  })
})

describe('time windows', () => {
  const office = 'decision: approve, when: { actions: read, privileges: x'

  it('that leave a gap are reported with a time in it', () => {
    const { findings, examples } = lint([
      `name: day, ${office}, time: { from: "08:00", to: "18:00", zone: Europe/Berlin } }`,
      `name: night, ${office}, time: { from: "18:30", to: "08:00", zone: Europe/Berlin } }`,
      rest,
    ])

    expect(findings).toEqual([
      '2: time-gap: the windows of "day" (policy.yaml:2:5), "night" (policy.yaml:3:5) leave a gap from mon 18:00 to mon 18:30; then "the rest" decides',
    ])
    expect(examples[0]).toMatchObject({ at: '2026-11-23T17:00:00Z' })
  })

  it.each([
    ['cover the week', 'time: { from: "18:00", to: "08:00" }'],
    ['cover the week by being outside', 'outside: { from: "08:00", to: "18:00" }'],
    ['cover less than half of it', 'time: { from: "19:00", to: "20:00" }'],
    ['are in another zone', 'time: { from: "18:30", to: "08:00", zone: Europe/Berlin }'],
  ])('that %s are not reported', (_, other) => {
    const { findings } = lint([
      `name: day, ${office}, time: { from: "08:00", to: "18:00" } }`,
      `name: night, ${office}, ${other} }`,
      rest,
    ])

    expect(findings).toEqual([])
  })
})

describe('users and names', () => {
  it('more approvers than users is reported, or noted when the users are unknown', () => {
    const rules = ['name: a, decision: ask, approvers: 3, when: { type: x }', rest]

    expect(lint(rules, { approvers: 2 }).findings).toEqual([
      '2: too-few-approvers: "a" asks for 3 approvers, and only 2 users have jit.approve: such a request expires',
    ])
    expect(lint(rules, { approvers: 3 })).toMatchObject({ findings: [], notes: [] })
  })

  it('a missing default rule is reported with a request that no rule matches', () => {
    const { findings, examples } = lint(['name: a, decision: ask, when: { type: file_access }'])

    expect(findings).toEqual([
      '2: no-catch-all: no rule applies to some requests; then a person is asked, at high risk',
    ])
    expect(examples).toEqual([{ authorization_details: { type: 'api_call' } }])
  })

  it('two rules with one name are reported', () => {
    const { findings } = lint([
      'name: a, decision: ask, when: { type: x }',
      'name: a, decision: deny',
    ])

    expect(findings).toEqual(['3: same-name: "a" is also the name of the rule at policy.yaml:2:5'])
  })
})

describe('policy lint', { timeout: 60_000 }, () => {
  it('finds nothing in the default policy', () => {
    const file = here.file('default.yaml', '')

    expect(here.policy('lint', file)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('0 findings in 12 rules\n'),
    })
  })

  it('prints findings with an example to paste, as annotations, and as JSON', () => {
    const file = here.file('a.yaml', 'rules:\n  - { name: all, risk: low, decision: approve }\n')

    const { status, stdout, stderr } = here.policyWith({ GITHUB_ACTIONS: 'true' }, 'lint', file)
    const json = JSON.parse(here.policy('lint', file, '--json').stdout)

    expect(status).toBe(1)
    expect(
      stdout,
    ).toBe(`a.yaml:2:5: approves-unknown: "all" approves actions that the policy does not name
  example: { authorization_details: { type: file_access, actions: [other] } }
a.yaml:2:5: approves-unknown: "all" approves any privileges
  example: { authorization_details: { type: file_access, privileges: [other] } }
2 findings in 1 rule
`)
    expect(stderr).toContain(
      '::error file=a.yaml,line=2,col=5,title=policy lint%3A approves-unknown',
    )
    expect(json).toMatchObject([{ file: 'a.yaml', findings: [{ kind: 'approves-unknown' }, {}] }])
  })

  it('counts the approvers in a configuration: the fewest of its tenants', () => {
    const file = here.file(
      'two.yaml',
      'rules:\n  - { name: two, risk: low, decision: ask, approvers: 2 }\n',
    )
    const user = (name: string) => `{ email: ${name}@x.io, permissions: [jit.approve] }`
    const enough = here.file('enough.yaml', `users: [${user('a')}, ${user('b')}]\n`)
    const fewer = here.file(
      'fewer.yaml',
      `tenants:\n  - { tenant: one, users: [${user('a')}, ${user('b')}] }\n  - { tenant: two, users: [${user('a')}] }\n`,
    )

    expect(here.policy('lint', file).stdout).toContain('note: cannot know whether 2 people')
    expect(here.policy('lint', file, '--config', enough)).toMatchObject({ status: 0 })
    expect(here.policy('lint', file, '--config', fewer).stdout).toContain('only 1 user has')
  })

  it('reports all mistakes in its files at once', () => {
    here.file('x.yaml', 'rules: [{ name: x, risk: lo, decision: ask }]\n')
    here.file('y.yaml', 'rule: []\n')
    here.file('users.yaml', 'users: [{ email: x }]\n')
    const good = here.file('good.yaml', '')

    expect(here.policy('lint', 'x.yaml', 'y.yaml')).toMatchObject({
      status: 2,
      stderr:
        'lumoauth-harness: 2 mistakes; nothing was run\nx.yaml:1:26: expected low, medium, high, critical, not "lo"\ny.yaml:1:1: unknown key "rule"; did you mean "rules"?\n',
    })
    expect(here.policy('lint', 'none.yaml')).toMatchObject({
      status: 2,
      stderr: 'lumoauth-harness: there is no none.yaml\n',
    })
    expect(here.policy('lint', good, '--config', 'users.yaml')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^lumoauth-harness: users\.yaml:1:\d+: users\.0\.email/),
    })
  })

  it.each([
    ['rules as people write them', () => bigPolicy(), 100],
    ['patterns with stars in every text', () => starPolicy(), 100],
    ['a regular expression in each rule', () => expressionPolicy(), 20],
  ])('takes less than 5 s for 500 rules: %s', (_, write, atLeast) => {
    const text = write()

    const started = process.threadCpuUsage()
    const { policy } = readPolicy('big.yaml', text)
    const { findings } = lintPolicy(policy as NonNullable<typeof policy>)
    const { user } = process.threadCpuUsage(started)

    expect(findings.length).toBeGreaterThan(atLeast)
    expect(user / 1e6).toBeLessThan(5)
  })
})

/** 499 rules with these conditions, and a last one. */
const policyOf = (whenOf: (at: number) => readonly string[]) => {
  const rules = Array.from({ length: 499 }, (_, at) => {
    const decision = ['approve', 'ask', 'deny'][at % 3]
    return `  - { name: rule ${at}, risk: low, decision: ${decision}, when: { ${whenOf(at).join(', ')} } }\n`
  })
  return `rules:\n${rules.join('')}  - { name: rest, risk: low, decision: ask }\n`
}

const starPolicy = () => {
  const word = (at: number) => (at % 499).toString(36).padStart(2, '0')
  const texts = ['type', 'identifier', 'agent', 'task_type']
  const listsOfTexts = ['actions', 'locations', 'datatypes', 'privileges']
  return policyOf((at) => [
    ...texts.map((it, of) => `${it}: '*${word(at * (of + 1))}*${word(at * 7)}*'`),
    ...listsOfTexts.map((it, of) => `${it}: ['*${word(at * (of + 2))}*${word(at * 11)}*']`),
    `on_behalf_of: '*${word(at)}@*${word(at * 5)}*'`,
  ])
}

const expressionPolicy = () =>
  policyOf((at) => [
    `justification_lacks: { pattern: '(foo|bar${at})+[a-z]{${at % 20}}x' }`,
    `type: 't${at % 41}*'`,
  ])

/** 500 rules over types, identifiers, actions, agents, hours, users, scores and justifications. */
const bigPolicy = () => {
  const actions = ['read', 'write', 'delete', 'list', 'export', 'approve', 'update', 'create']
  return policyOf((at) => {
    const type = ['file_access', 'database_query', 'api_call', `invoice_${at % 40}`][at % 4]
    const folder = `team-${at % 60}/${['reports', 'data', 'logs'][at % 3]}/*`
    return [
      `type: ${type}, identifier: '${folder}${at % 7 ? '' : '.pdf'}'`,
      `actions: [${actions[at % 8]}, ${actions[(at * 3) % 8]}]`,
      ...(at % 5 ? [] : [`agent: 'bot-${at % 25}*'`]),
      ...(at % 6
        ? []
        : [`time: { from: '0${at % 9}:00', to: '1${at % 9}:15', zone: Europe/Berlin }`]),
      ...(at % 7 ? [] : [`on_behalf_of: '*@dept${at % 20}.example.com'`]),
      ...(at % 8 ? [] : [`score_from: ${at % 50}`]),
      ...(at % 9 ? [] : [`justification_lacks: { length: ${10 + (at % 30)} }`]),
      ...(at % 11 ? [] : [`privileges: [owner, 'admin-${at % 10}']`]),
    ]
  })
}
