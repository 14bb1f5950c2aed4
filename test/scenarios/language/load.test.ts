// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of scenarios look like that
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadScenarios } from '../../../scenarios/language/load.ts'
import { problemsOf, scenarioOf } from '../support.ts'

const steps = (...lines: string[]) =>
  ['scenario: Something is so', 'steps:', ...lines.map((line) => `  ${line}`)].join('\n')

describe('a scenario file', () => {
  it.for([
    ['broken YAML', 'scenario: "open', 'a.yaml:1:16: Missing closing "quote'],
    [
      'a key twice',
      'scenario: Something is so\nscenario: Again',
      'a.yaml:2:1: Map keys must be unique',
    ],
    [
      'no object',
      '- a\n- b',
      'a.yaml:1:1: expected a scenario: an object with "scenario" and "steps"',
    ],
    ['no steps', 'scenario: Something is so', 'a.yaml:1:1: "steps" is missing: expected an array'],
    [
      'an empty list of steps',
      'scenario: Something is so\nsteps: []',
      'a.yaml:2:8: expected at least 1 of them, not []',
    ],
    [
      'an unknown key',
      'scenario: Something is so\ntag: [a]\nsteps:\n  - open_task: {}',
      'a.yaml:2:1: unknown key "tag"; did you mean "tags"?',
    ],
    [
      'given and tenants at once',
      'scenario: Something is so\ngiven: {}\ntenants: { a: {} }\nsteps:\n  - open_task: {}',
      'a.yaml:3:10: expected given (one tenant) or tenants (several), not both',
    ],
    [
      'a mistake in a seed',
      'scenario: Something is so\ngiven:\n  documents:\n    - { id: a, title: A, classification: secret }\nsteps:\n  - open_task: {}',
      'a.yaml:4:42: expected public, internal, confidential, restricted, not "secret"',
    ],
    [
      'an unknown key of a seed',
      'scenario: Something is so\ngiven:\n  documents:\n    - { id: a, titel: A, title: B }\nsteps:\n  - open_task: {}',
      'a.yaml:4:16: unknown key "titel"; did you mean "title"?',
    ],
  ])('with %s is reported with its position', ([, yaml, problem]) => {
    expect(problemsOf(yaml ?? '')[0]).toContain(problem)
  })
})

describe('a step', () => {
  it.for([
    [
      'with a mistyped action',
      '- cal: GET /v1/x',
      'a.yaml:3:5: unknown action "cal"; did you mean "call"?',
    ],
    [
      'with swapped letters',
      '- opne_task: {}',
      'a.yaml:3:5: unknown action "opne_task"; did you mean "open_task"?',
    ],
    [
      'with nothing like an action',
      '- frobnicate: {}',
      'a.yaml:3:5: unknown action "frobnicate"; actions are authenticate,',
    ],
    [
      'with two actions',
      '- open_task: {}\n    call: GET /v1/x',
      'a.yaml:4:5: a step has exactly one action, found "open_task" and "call"',
    ],
    ['with none', '- with: jit', 'a.yaml:3:5: a step needs an action'],
    [
      'that is a text',
      '- open_task',
      'a.yaml:3:5: expected a step: an action and its modifiers, received "open_task"',
    ],
    [
      'with a mistyped modifier',
      '- open_task: {}\n    expcet: {}',
      'a.yaml:4:5: unknown key "expcet"; did you mean "expect"?',
    ],
    [
      'with a mistyped argument',
      '- open_task: { nmae: x }',
      'a.yaml:3:18: unknown key "nmae"; did you mean "name"?',
    ],
    ['without its argument', '- open_task:', 'a.yaml:3:15: expected an object, not null'],
    [
      'with a broken line',
      '- call: /v1/documents',
      'a.yaml:3:11: expected a method and a path, such as GET /v1/documents, not "/v1/documents"',
    ],
    [
      'with a broken duration',
      '- advance: 5 minutes',
      'a.yaml:3:14: expected a duration: seconds, or ISO 8601 such as PT5M, not "5 minutes"',
    ],
    [
      'with an unknown expectation',
      '- call: GET /v1/x\n    expect: { stauts: 200 }',
      'a.yaml:4:15: unknown key "stauts"; did you mean "status"?',
    ],
    [
      'with a broken matcher',
      '- open_task: {}\n    expect: { task_id: { matches: "(" } }',
      'a.yaml:4:35: expected a regular expression; "matches" takes',
    ],
    [
      'with a matcher beside a field',
      '- open_task: {}\n    expect: { agent: { at_most: 1, id: 2 } }',
      'a.yaml:4:36: an object has either matchers or fields, found the matcher "at_most" and the field "id"',
    ],
    [
      'that saves what no answer has',
      '- call: GET /v1/x\n    save: { x: boddy.id }',
      'a.yaml:4:16: an answer has no "boddy"; did you mean "body"?',
    ],
    [
      'that saves by a regular expression without a group',
      "- open_task: {}\n    save: { x: { from: task_id, matches: 'task' } }",
      'expected a regular expression with a group',
    ],
    [
      'that saves under the name of a built-in',
      '- open_task: {}\n    save: { jit: task_id }',
      'a.yaml:4:13: "jit" is the name of a built-in variable',
    ],
    [
      'by an agent that is not given',
      '- open_task: {}\n    as: report-bto',
      'a.yaml:4:9: no agent or user "report-bto"; did you mean "report-bot"?',
    ],
    [
      'in a tenant that is not there',
      '- open_task: {}\n    in: b',
      'a.yaml:4:9: no tenant "b"; there are main',
    ],
    [
      'with a broken policy',
      '- set_policy: { rules: [{ name: a, risk: low, decision: aprove }] }',
      'a.yaml:3:59: expected approve, ask, deny, not "aprove"',
    ],
    [
      'within another step',
      '- parallel:\n      - - open_task: {}\n      - - opentask: {}',
      'a.yaml:5:11: unknown action "opentask"; did you mean "open_task"?',
    ],
    [
      'with two bodies',
      '- http: { request: POST /x, json: {}, body: x }',
      'a.yaml:3:11: expected at most one of json, form, body, base64, filler',
    ],
  ])('%s is reported with its position', ([, step, problem]) => {
    expect(problemsOf(steps(step ?? ''))[0]).toContain(problem)
  })

  it('is reported with all its errors, in the order of the file', () => {
    const problems = problemsOf(steps('- cal: x', '- open_task: { a: 1, b: 2 }', '- advance: soon'))

    expect(problems.map((it) => it.split(': ')[0])).toEqual([
      'a.yaml:3:5',
      'a.yaml:4:18',
      'a.yaml:4:24',
      'a.yaml:5:14',
    ])
  })
})

describe('a variable', () => {
  it.for([
    ['that was never set', ['- decode_token: $stolne'], 'a.yaml:3:19: $stolne is not set here'],
    [
      'that is almost another',
      ['- open_task: {}', '  save: { needed: task_id }', '- complete_task: { task_id: $neded }'],
      'a.yaml:5:31: $neded is not set here; did you mean "needed"?',
    ],
    [
      'that is set later',
      ['- decode_token: $a', '- get_token: {}', '  save: { a: access_token }'],
      'a.yaml:3:19: $a is not set here',
    ],
    [
      'of an action that comes later',
      ['- complete_task: { task_id: $task.task_id }', '- open_task: {}'],
      'a.yaml:3:31: $task is not set here; open_task sets it, and there is none before this step',
    ],
    ['within a text', ['- open_task: { name: "for ${who}" }'], 'a.yaml:3:24: $who is not set here'],
    [
      'in an expectation',
      ['- open_task: {}', '  expect: { task_id: $before }'],
      'a.yaml:4:24: $before is not set here',
    ],
    [
      'of another branch',
      [
        '- parallel:',
        '    - - open_task: {}',
        '        save: { a: task_id }',
        '    - - complete_task: { task_id: $a }',
      ],
      '$a is not set here',
    ],
    ['of rounds, outside', ['- open_task: { name: $round }'], '$round is not set here'],
  ] as const)('%s is an error', ([, lines, problem]) => {
    expect(problemsOf(steps(...lines))[0]).toContain(problem)
  })

  it('that is never used is only a warning', () => {
    expect(problemsOf(steps('- open_task: {}', '  save: { id: task_id }'))).toEqual([
      'a.yaml:4:13: warning: $id is saved but never used',
    ])
  })

  it('of a branch is set after it', () => {
    const lines = [
      '- parallel:',
      '    - - open_task: {}',
      '        save: { a: task_id }',
      '    - - open_task: { name: "$$round is no variable, ${round} is" }',
      '- complete_task: { task_id: $a }',
    ]

    expect(problemsOf(steps(...lines))).toEqual([])
  })
})

describe('a valid scenario', () => {
  it('derives its needs from its steps', () => {
    const scenario = scenarioOf(
      steps(
        '- call: { request: DELETE /v1/documents/x }',
        '- approve: { request_id: x }',
        '- expect_journal: [a]',
      ),
    )

    expect(scenario.needs).toEqual(['writes', 'approver', 'control'])
  })

  it('computes how far it advances the clock', () => {
    const scenario = scenarioOf(
      steps('- advance: PT5M', '- repeat: { times: 2, steps: [{ advance: 10 }] }'),
    )

    expect(scenario.takes).toBe(320)
  })

  it('has the folders below the suite as its theme', () => {
    const scenario = scenarioOf(steps('- open_task: {}'), 'scenarios/suite/oauth/grants/x.yaml')

    expect(scenario.theme).toBe('oauth/grants')
  })
})

describe('loading files', () => {
  it('rejects two scenarios with one title', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'scenarios-'))
    const files = [join(folder, 'a.yaml'), join(folder, 'b.yaml')]
    for (const file of files) await writeFile(file, steps('- open_task: {}'))

    const { problems } = await loadScenarios(files, folder)
    await rm(folder, { recursive: true })

    expect(problems).toMatchObject([
      { at: { file: 'b.yaml', line: 1, column: 11 }, message: 'this is also the title of a.yaml' },
    ])
  })
})

describe('what a scenario needs', () => {
  const expecting = (needs: string, step: string, given = '{}') =>
    problemsOf(
      [
        'scenario: Something is so',
        `needs: [${needs}]`,
        `given: ${given}`,
        'steps:',
        step,
        '',
      ].join('\n'),
    )
  const dated = "  - open_task: {}\n    expect: { expires_at: '2026-11-24T04:00:00Z' }"
  const counted = '  - list_pending: {}\n    expect: { count: 1 }'

  it('is frozen_clock where a step expects a date-time', () => {
    expect(expecting('', dated)).toEqual([
      'a.yaml:6:27: expecting a date-time needs: [frozen_clock]',
    ])
    expect(expecting('frozen_clock', dated)).toEqual([])
  })

  it('is own_tenant where a step counts pending requests', () => {
    expect(expecting('', counted)).toEqual([
      'a.yaml:6:22: counting pending requests needs: [own_tenant]',
    ])
    expect(expecting('own_tenant', counted)).toEqual([])
  })

  it('excludes frozen_clock with clock: system', () => {
    expect(expecting('frozen_clock', '  - open_task: {}', '{ clock: system }')).toEqual([
      'a.yaml:2:9: clock: system contradicts needs: [frozen_clock]',
    ])
  })
})
