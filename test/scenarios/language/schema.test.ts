import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { filesOf } from '../../../scenarios/cli/find-scenarios.ts'
import { actions } from '../../../scenarios/language/actions.ts'
import { scenarioSchema } from '../../../scenarios/language/schema.ts'
import { withTables } from '../../../scenarios/language/tables.ts'
import { problemsOf } from '../support.ts'

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

const validator = () => {
  const ajv = new Ajv({ strict: false, allErrors: true })
  ;(addFormats as unknown as (it: Ajv) => void)(ajv)
  return ajv.compile(scenarioSchema())
}

describe('the JSON Schema of scenarios', () => {
  const validate = validator()

  it.for([
    ['a mistyped action', { cal: 'GET /v1/x' }],
    ['a mistyped modifier', { open_task: {}, expcet: {} }],
    ['two actions', { open_task: {}, call: 'GET /v1/x' }],
    ['a broken line', { call: 'v1/x' }],
    ['a mistake in a nested step', { repeat: { times: 2, steps: [{ cal: 'GET /v1/x' }] } }],
  ] as const)('rejects %s', ([, step]) => {
    expect(validate({ scenario: 'Something is so', steps: [step] })).toBe(false)
  })

  it.for(filesOf([]))('accepts %s', (file) => {
    validate(parse(readFileSync(file, 'utf8')))

    expect(validate.errors ?? []).toEqual([])
  })

  it('in the repository is up to date', () => {
    expect(JSON.parse(read('scenarios/scenario.schema.json'))).toEqual(scenarioSchema())
  })
})

describe('the README of scenarios', () => {
  it('has up-to-date tables', () => {
    const text = read('scenarios/README.md')

    expect(withTables(text)).toBe(text)
  })

  it('begins with a valid scenario', () => {
    const example = /```yaml\n([\s\S]*?)```/.exec(read('scenarios/README.md'))?.[1] ?? ''

    expect(problemsOf(example)).toEqual([])
  })

  it.for(Object.entries(actions))('has a valid example of %s', ([, { example }]) => {
    const variables = ['needed', 'alice', 'first', 'second']
      .map((name) => `${name}: task_id`)
      .join(', ')
    const yaml = `scenario: Something is so\nsteps:\n  - open_task: {}\n    save: { ${variables} }\n  - ${example}\n`

    expect(problemsOf(yaml).filter((it) => !it.includes('warning: '))).toEqual([])
  })
})
