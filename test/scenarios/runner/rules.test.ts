import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { rulesFile } from '../../../scenarios/cli/find-scenarios.ts'
import { checkCoverage, readRules, rulesSchema, stateOf } from '../../../scenarios/runner/rules.ts'
import { listMisbehaviours } from '../../../scenarios/targets/mock/mock.ts'
import { scenarioOf } from '../support.ts'

const oneRule = `RAR-20:
  says: Nothing is granted that was not approved.
  source: CONTRACT.md#exact-grants
  seat: issuer
  level: HOUSE
`

const problemsIn = (yaml: string) =>
  readRules('rules.yaml', yaml).problems.map(
    ({ at, message }) => `${at.line}:${at.column}: ${message}`,
  )

describe('the catalogue of rules', () => {
  it('is valid', async () => {
    const { catalogue, problems } = readRules('rules.yaml', await readFile(rulesFile(), 'utf8'))

    expect(problems).toEqual([])
    expect(catalogue.rules.size).toBeGreaterThan(300)
  })

  it('has every rule that a misbehaviour breaks', async () => {
    const { catalogue } = readRules('rules.yaml', await readFile(rulesFile(), 'utf8'))

    const known = await listMisbehaviours()

    const ids = [...catalogue.rules.values()].filter((it) => !it.excluded).map((it) => it.id)
    expect(known.filter((it) => !ids.includes(it.breaks)).map((it) => it.name)).toEqual([])
  })

  it.for([
    [
      'a key that is not known',
      `${oneRule}  levle: MUST\n`,
      '6:3: unknown key "levle"; did you mean "level"?',
    ],
    [
      'a seat that is not there',
      oneRule.replace('issuer', 'user'),
      '4:9: expected issuer, api, agent, control, any, not "user"',
    ],
    [
      'an id that is none',
      oneRule.replace('RAR-20', 'rar 20'),
      '1:1: expected a rule id, such as RAR-20, not "rar 20"',
    ],
    [
      'a rule without a sentence',
      oneRule.replace(/ {2}says.*\n/, ''),
      '2:3: "says" is missing: expected a string',
    ],
    ['the same rule twice', oneRule + oneRule, '6:1: Map keys must be unique'],
    ['a list', '- RAR-20\n', '1:1: expected rules by id, received ["RAR-20"]'],
  ] as const)('reports the position of %s', ([, yaml, problem]) => {
    expect(problemsIn(yaml)).toEqual([problem])
  })

  it('has a JSON Schema with the same members', () => {
    expect(rulesSchema()).toMatchObject({
      type: 'object',
      additionalProperties: { required: ['says', 'source', 'seat', 'level'] },
    })
  })
})

describe('coverage', () => {
  const { catalogue } = readRules(
    'rules.yaml',
    `${oneRule}${oneRule.replace('RAR-20', 'RAR-21')}${oneRule.replace('RAR-20', 'DPP-01')}  excluded: LumoAuth does not offer DPoP.\n`,
  )
  const covering = (covers: string) =>
    scenarioOf(`scenario: Something is so\n${covers}steps:\n  - open_task: {}\n`)
  const gaps = (...scenarios: ReturnType<typeof scenarioOf>[]) =>
    checkCoverage(catalogue, scenarios).map(
      ({ at, message }) => `${at.file}:${at.line}:${at.column}: ${message}`,
    )

  it('has no problem when every rule has a scenario and every scenario a rule', () => {
    expect(gaps(covering('covers: [RAR-20, RAR-21]\n'))).toEqual([])
  })

  it('reports rules that no scenario covers, except excluded ones', () => {
    expect(gaps(covering('covers: [RAR-20]\n'))).toEqual([
      'rules.yaml:6:1: no scenario covers RAR-21',
    ])
  })

  it.for([
    ['no rule', '', ':1:1: this scenario covers no rule'],
    [
      'an unknown rule',
      'covers: [RAR-02]\n',
      ':2:10: there is no rule RAR-02; did you mean "RAR-20"?',
    ],
    [
      'an excluded rule',
      'covers: [DPP-01]\n',
      ':2:10: DPP-01 is excluded: LumoAuth does not offer DPoP.',
    ],
  ] as const)('rejects a scenario that covers %s', ([, covers, says]) => {
    const all = covering('covers: [RAR-20, RAR-21]\n')

    expect(gaps(all, covering(covers))).toEqual([`suite/theme/one.yaml${says}`])
  })

  it('has the worst verdict of its scenarios', () => {
    const [rule, , excluded] = [...catalogue.rules.values()]
    if (rule === undefined || excluded === undefined) throw new Error('expected three rules')

    expect(stateOf(rule, ['passed', 'failed', 'not run'])).toBe('failed')
    expect(stateOf(rule, ['passed', 'skipped'])).toBe('skipped')
    expect(stateOf(rule, [])).toBe('uncovered')
    expect(stateOf(excluded, ['passed'])).toBe('excluded')
  })
})
