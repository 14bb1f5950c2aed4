import { describe, expect, it } from 'vitest'
import { assess, type Facts } from '../../../../server/issuer/policy/policy.ts'
import { Condition, Policy } from '../../../../server/wire/index.ts'
import { FlawedFile, parseYaml } from '../../../../server/wire/yaml-source.ts'

/** Tuesday 24 November 2026, 12:00 UTC. */
const noon = Date.UTC(2026, 10, 24, 12) / 1000

const facts: Facts = {
  detail: { type: 'file_access', actions: ['read'], identifier: 'reports/q4.pdf' },
  agent: 'report-bot',
  score: 0,
  denials: 0,
  requestsLastMinute: 0,
  now: noon,
}

/** Whether a condition matches, shown by a policy whose only other rule decides differently. */
const holds = (
  when: (typeof Condition)['_zod']['input'],
  more: Partial<Facts> = {},
  policy: Partial<(typeof Policy)['_zod']['input']> = {},
) =>
  assess(
    Policy.parse({
      ...policy,
      rules: [
        { name: 'holds', when, risk: 'low', decision: 'approve' },
        { name: 'does not', risk: 'low', decision: 'deny' },
      ],
    }),
    { ...facts, ...more },
  ).rule.name === 'holds'

const at = (day: number, time: string) => ({
  now: Date.parse(`2026-11-${day}T${time}:00Z`) / 1000,
})

describe('a condition', () => {
  it.each<[string, (typeof Condition)['_zod']['input'], Partial<Facts>, boolean]>([
    ['none at all', {}, {}, true],
    ['the type', { type: 'file_access' }, {}, true],
    ['another type', { type: 'payment' }, {}, false],
    ['the type, not a part of it', { type: 'file' }, {}, false],
    ['one type of several', { type: ['payment', 'file_access'] }, {}, true],
    ['a pattern of the type', { type: 'file*' }, {}, true],
    ['case counts', { type: 'FILE*' }, {}, false],
    ['an action', { actions: 'read' }, {}, true],
    ['an action that is not asked for', { actions: ['write', 'delete'] }, {}, false],
    ['actions where there are none', { actions: '*' }, { detail: { type: 'x' } }, false],
    ['the identifier', { identifier: 'reports/*.pdf' }, {}, true],
    ['two stars', { identifier: '*q4*' }, {}, true],
    ['stars around the beginning', { identifier: '*reports*pdf' }, {}, true],
    ['a star for nothing', { identifier: 'reports/*q4.pdf' }, {}, true],
    ['a part twice that is there once', { identifier: '*q4*q4*' }, {}, false],
    ['stars that would have to overlap', { identifier: 'reports/q4*4.pdf' }, {}, false],
    ['an identifier where there is none', { identifier: '?*' }, { detail: { type: 'x' } }, false],
    ['a dot is a dot', { identifier: 'reports/q4?pdf' }, {}, false],
    [
      'a location',
      { locations: 'https://api.example.com*' },
      { detail: { type: 'x', locations: ['https://api.example.com/v1'] } },
      true,
    ],
    ['a location where there is none', { locations: '*' }, {}, false],
    [
      'an undocumented action, which the scopes of the older form never are',
      { undocumented_actions: true },
      { detail: { type: 'scope', actions: ['moon'] } },
      false,
    ],
    ['the agent', { agent: 'report-*' }, {}, true],
    ['another agent', { agent: 'other' }, {}, false],
    ['the task type', { task_type: 'analysis' }, { taskType: 'analysis' }, true],
    ['the task type of a task without', { task_type: 'analysis' }, {}, false],
    ['any user acted for', { on_behalf_of: true }, { onBehalfOf: 'a@x.com' }, true],
    ['no user acted for', { on_behalf_of: false }, {}, true],
    ['no user, but one is acted for', { on_behalf_of: false }, { onBehalfOf: 'a@x.com' }, false],
    ['this user', { on_behalf_of: '*@x.com' }, { onBehalfOf: 'a@x.com' }, true],
    ['this user, but none is acted for', { on_behalf_of: '*' }, {}, false],
    ['a longer time', { ttl_over: 'PT5M' }, { requestedTtl: 301 }, true],
    ['just that time', { ttl_over: 300 }, { requestedTtl: 300 }, false],
    ['no time asked for', { ttl_over: 300 }, {}, false],
    ['a score', { score_from: 10 }, { score: 10 }, true],
    ['a lower score', { score_from: 10 }, { score: 9.9 }, false],
    ['denials', { denials_from: 2 }, { denials: 2 }, true],
    ['fewer denials', { denials_from: 2 }, { denials: 1 }, false],
    ['many requests', { requests_last_minute_from: 5 }, { requestsLastMinute: 5 }, true],
    ['few requests', { requests_last_minute_from: 5 }, { requestsLastMinute: 4 }, false],
    ['all that is given', { type: 'file_access', agent: 'other' }, {}, false],
  ])('on %s: %j', (_says, when, more, expected) => {
    expect(holds(when, more)).toBe(expected)
  })

  it.each<
    [string | undefined, (typeof Condition)['_zod']['input']['justification_lacks'], boolean]
  >([
    [undefined, {}, true],
    ['   ', {}, true],
    ['why', {}, false],
    ['why', { length: 4 }, true],
    ['why', { length: 3 }, false],
    ['for OPS-12', { pattern: '[A-Z]+-\\d+' }, false],
    ['for ops', { pattern: '[A-Z]+-\\d+' }, true],
    [undefined, { pattern: '.*' }, true],
  ])('justification %j with the required words %j', (justification, lacks, expected) => {
    expect(holds({ justification_lacks: lacks }, { justification })).toBe(expected)
  })

  it.each([
    ['within the hours', { from: '09:00', to: '17:00' }, at(24, '16:59'), true],
    ['at their end', { from: '09:00', to: '17:00' }, at(24, '17:00'), false],
    ['at their beginning', { from: '09:00', to: '17:00' }, at(24, '09:00'), true],
    ['before it', { from: '09:00', to: '17:00' }, at(24, '08:59'), false],
    ['without an end', { from: '09:00' }, at(24, '23:59'), true],
    ['without a beginning', { to: '09:00' }, at(24, '00:00'), true],
    ['on the day', { days: ['tue' as const] }, at(24, '00:00'), true],
    ['on another day', { days: ['mon' as const] }, at(24, '00:00'), false],
    ['at its beginning before midnight', { from: '22:00', to: '06:00' }, at(24, '22:00'), true],
    ['before midnight', { from: '22:00', to: '06:00' }, at(24, '23:00'), true],
    ['after midnight', { from: '22:00', to: '06:00' }, at(24, '05:59'), true],
    ['neither', { from: '22:00', to: '06:00' }, at(24, '06:00'), false],
    [
      'that night’s morning',
      { days: ['mon' as const], from: '22:00', to: '06:00' },
      at(24, '05:00'),
      true,
    ],
    [
      'the evening after',
      { days: ['mon' as const], from: '22:00', to: '06:00' },
      at(24, '22:00'),
      false,
    ],
    [
      'across the week’s end',
      { days: ['sat' as const], from: '22:00', to: '06:00' },
      at(29, '01:00'),
      true,
    ],
  ])('time, %s', (_says, time, more, expected) => {
    expect(holds({ time }, more)).toBe(expected)
    expect(holds({ outside: time }, more)).toBe(!expected)
  })

  it.each([
    ['a type', { types: 'database_*' }, { type: 'database_access' }, true],
    [
      'an identifier',
      { identifiers: ['salaries*'] },
      { type: 'x', identifier: 'salaries/1' },
      true,
    ],
    ['neither', { types: 'x', identifiers: 'y' }, { type: 'y', identifier: 'x' }, false],
    ['nothing', {}, { type: 'anything', identifier: 'x' }, false],
  ])('sensitive data by %s', (_says, sensitive, detail, expected) => {
    expect(holds({ sensitive: true }, { detail }, { sensitive })).toBe(expected)
    expect(holds({ sensitive: false }, { detail }, { sensitive })).toBe(!expected)
  })
})

describe('an assessment', () => {
  it('follows the first rule that matches', () => {
    const policy = Policy.parse({
      rules: [
        { name: 'a', when: { type: 'x' }, risk: 'low', decision: 'deny' },
        { name: 'b', risk: 'medium', decision: 'approve' },
        { name: 'c', risk: 'high', decision: 'deny' },
      ],
    })

    expect(assess(policy, facts).rule.name).toBe('b')
  })

  it('asks a person when no rule matches', () => {
    const policy = Policy.parse({
      rules: [{ name: 'a', when: { type: 'x' }, risk: 'low', decision: 'approve' }],
    })

    expect(assess(policy, facts).rule).toMatchObject({
      name: 'no rule applies, so a person is asked',
      decision: 'ask',
      risk: 'high',
    })
  })

  it.each([
    ['read', 'low', 'approve'],
    ['write', 'medium', 'approve'],
    ['delete', 'high', 'ask'],
  ])('by the documented risk table, %s is %s', (action, risk, decision) => {
    const { explanation } = assess(Policy.parse({}), {
      ...facts,
      detail: { type: 'file_access', actions: [action] },
    })

    expect(explanation).toMatchObject({ risk_level: risk, decision })
  })

  it.each(['payment', 'user_data', 'aws_credentials'])(
    'by the documented risk table, %s is critical',
    (type) => {
      expect(assess(Policy.parse({}), { ...facts, detail: { type } }).rule.risk).toBe('critical')
    },
  )

  it('suggests the smallest request that would pass', () => {
    const detail = { type: 'file_access', actions: ['read', 'delete', 'write'], identifier: 'x' }

    const { explanation } = assess(Policy.parse({}), { ...facts, detail })

    expect(explanation.would_pass).toEqual({ ...detail, actions: ['read', 'write'] })
  })

  it('leaves what was approved out of the suggestion', () => {
    const detail = { type: 'file_access', actions: ['read', 'list'] }

    expect(assess(Policy.parse({}), { ...facts, detail }).explanation).not.toHaveProperty(
      'would_pass',
    )
  })

  it('names the one action of two that has a rule, and none without a rule', () => {
    const policy = Policy.parse({
      rules: [
        { name: 'a', when: { actions: 'delete' }, risk: 'high', decision: 'deny' },
        { name: 'b', when: { actions: 'read' }, risk: 'low', decision: 'approve' },
      ],
    })
    const passing = (...actions: string[]) =>
      assess(policy, { ...facts, detail: { type: 'x', actions } }).explanation.would_pass

    expect(passing('read', 'delete')).toEqual({ type: 'x', actions: ['read'] })
    expect(passing('read', 'delete', 'moon')).toEqual({ type: 'x', actions: ['read'] })
  })

  it('names only the first action when those that pass alone do not pass together', () => {
    const policy = Policy.parse({
      rules: [
        { name: 'a', when: { actions: 'read' }, risk: 'low', decision: 'approve' },
        { name: 'b', when: { actions: 'list' }, risk: 'low', decision: 'approve' },
      ],
    })
    const detail = { type: 'x', actions: ['list', 'read', 'delete'] }

    expect(assess(policy, { ...facts, detail }).explanation.would_pass).toEqual({
      type: 'x',
      actions: ['list'],
    })
  })

  it('carries the reason of the rule that denies', () => {
    const policy = Policy.parse({
      rules: [
        { name: 'a', when: { type: 'x' }, risk: 'low', decision: 'deny', reason: 'because' },
        { name: 'b', risk: 'low', decision: 'deny' },
      ],
    })

    expect(assess(policy, { ...facts, detail: { type: 'x' } }).explanation.reason).toBe('because')
    expect(assess(policy, facts).explanation).not.toHaveProperty('reason')
  })

  it('suggests nothing when nothing would pass', () => {
    const detail = { type: 'payment', actions: ['initiate', 'approve'] }

    expect(assess(Policy.parse({}), { ...facts, detail }).explanation).not.toHaveProperty(
      'would_pass',
    )
  })

  it('adds a sensitive type to the documented table without repeating the table', () => {
    const policy = Policy.parse({ sensitive: { types: 'database_access' } })

    expect(
      assess(policy, { ...facts, detail: { type: 'database_access', actions: ['read'] } }).rule,
    ).toMatchObject({ risk: 'high', decision: 'ask' })
  })
})

describe('a justification pattern', () => {
  it.each(['^(a+)+$', '(a|aa)*c', '^(\\w+\\s?)*$', '.*.*.*.*=.*'])(
    'takes linear time: %s',
    (pattern) => {
      const justification = `${'a'.repeat(4095)}!`

      expect(holds({ justification_lacks: { pattern } }, { justification })).toBe(true)
    },
  )

  it.each(['(a)\\1', '(?=a)', '(?<!a)b', '(?<n>a)\\k<n>', '(', 'a{2,1}'])(
    'is rejected when the policy is read: %s',
    (pattern) => {
      expect(Condition.safeParse({ justification_lacks: { pattern } }).success).toBe(false)
    },
  )

  it('that the engine cannot compile matches no justification', () => {
    const pattern = '((a{900}){900}){900}'

    expect(holds({ justification_lacks: { pattern } }, { justification: 'aaa' })).toBe(true)
  })
})

describe('a policy file', () => {
  const flaws = (text: string) => {
    try {
      parseYaml('policy.yaml', text, Policy)
      return []
    } catch (thrown) {
      if (thrown instanceof FlawedFile) return thrown.message.split('\n')
      throw thrown
    }
  }

  it('may hold only what differs from the default', () => {
    const policy = parseYaml('policy.yaml', 'approval_timeout: PT2M', Policy)

    expect(policy.approval_timeout).toBe(120)
    expect(policy.rules.length).toBeGreaterThan(3)
  })

  it.each([
    ['approval_timeout: -1', /^policy\.yaml:1:1: approval_timeout: expected a duration/],
    ['max_ttl: 0', /^policy\.yaml:1:1: max_ttl: expected at least 1 second/],
    ['max_tll: 60', /^policy\.yaml:1:1: unknown key "max_tll"; did you mean "max_ttl"/],
    ['rules: []', /^policy\.yaml:1:1: rules:/],
    [
      'rules:\n  - name: nights\n    risk: low\n    decision: ask\n    when:\n      time: { from: 9am }\n',
      /^policy\.yaml:6:15: rules\.0\.when\.time\.from: expected a time of day/,
    ],
    [
      'rules:\n  - name: never\n    risk: low\n    decision: ask\n    when: { time: { from: 09:00, to: 09:00 } }\n',
      /^policy\.yaml:5:34: rules\.0\.when\.time\.to: expected from and to to differ/,
    ],
    [
      'rules:\n  - { name: a, risk: low, decision: maybe }\n',
      /^policy\.yaml:2:27: rules\.0\.decision:/,
    ],
    [
      'rules:\n  - name: a\n    risk: low\n    decision: ask\n    when: { justification_lacks: { pattern: "(x)\\\\1" } }\n',
      /^policy\.yaml:5:36: rules\.0\.when\.justification_lacks\.pattern: expected a pattern without/,
    ],
    ['rules: [', /^policy\.yaml:1:9:/],
  ])('is rejected with line and column: %j', (text, message) => {
    const [first] = flaws(text)

    expect(first).toMatch(message)
  })
})

describe('the lists of a request', () => {
  const decide = (
    rule: Pick<(typeof Policy)['_zod']['output']['rules'][number], 'decision'>['decision'],
    when: (typeof Condition)['_zod']['input'],
    detail: Facts['detail'],
    more: Partial<Facts> = {},
  ) =>
    assess(Policy.parse({ rules: [{ name: 'it', when, risk: 'low', decision: rule }] }), {
      ...facts,
      detail,
      ...more,
    }).rule.name === 'it'

  it('agent: a rule that approves must match all that registered it, too; other rules any', () => {
    const helper = { agent: 'trusted-helper', ancestors: ['intern'] }
    const decides = (rule: 'approve' | 'ask' | 'deny', agent: string | string[]) =>
      decide(rule, { agent }, { type: 'x' }, helper)

    expect(decides('approve', 'trusted-*')).toBe(false)
    expect(decides('approve', ['trusted-*', 'intern'])).toBe(true)
    expect([decides('ask', 'intern'), decides('deny', 'intern')]).toEqual([true, true])
    expect(decides('deny', 'other')).toBe(false)
  })

  it.each(['actions', 'locations', 'datatypes', 'privileges'] as const)(
    '%s: a rule that approves must match every member, a rule that asks or denies any one',
    (list) => {
      const detail = { type: 'x', [list]: ['known', 'other'] }

      expect(decide('approve', { [list]: 'known' }, detail)).toBe(false)
      expect(decide('approve', { [list]: ['known', 'oth*'] }, detail)).toBe(true)
      expect(decide('ask', { [list]: 'known' }, detail)).toBe(true)
      expect(decide('deny', { [list]: 'known' }, detail)).toBe(true)
      expect(decide('approve', { [list]: 'known' }, { type: 'x' })).toBe(false)
    },
  )
})

describe('the default policy', () => {
  it.each<[string, Facts['detail'], 'approve' | 'ask', string]>([
    ['reads', { type: 'file_access', actions: ['read'] }, 'approve', 'low'],
    ['writes', { type: 'file_access', actions: ['write'] }, 'approve', 'medium'],
    [
      'a read beside a write',
      { type: 'file_access', actions: ['read', 'write'] },
      'approve',
      'medium',
    ],
    ['a delete beside a read', { type: 'file_access', actions: ['delete', 'read'] }, 'ask', 'high'],
    [
      'an action that is not documented',
      { type: 'file_access', actions: ['purge'] },
      'ask',
      'high',
    ],
    ['the same beside a read', { type: 'file_access', actions: ['read', 'Delete'] }, 'ask', 'high'],
    [
      'a privilege',
      { type: 'file_access', actions: ['read'], privileges: ['admin'] },
      'ask',
      'high',
    ],
    ['no action', { type: 'file_access' }, 'approve', 'low'],
    ['a payment', { type: 'payment', actions: ['initiate'] }, 'ask', 'critical'],
  ])('decides about %s', (_, detail, decision, risk) => {
    const { rule } = assess(Policy.parse({}), { ...facts, detail })

    expect([rule.decision, rule.risk]).toEqual([decision, risk])
  })
})
