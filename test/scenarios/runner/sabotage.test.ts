import { afterAll, describe, expect, it } from 'vitest'
import { NotGreen, sabotage } from '../../../scenarios/runner/sabotage.ts'
import { listMisbehaviours, mock } from '../../../scenarios/targets/mock/mock.ts'
import { scenarioOf } from '../support.ts'

const target = await mock('fetch')
afterAll(() => target.close())
const known = await listMisbehaviours()
const misbehaviours = (...names: string[]) => known.filter((it) => names.includes(it.name))

const twice = scenarioOf(
  `scenario: An approval is exchanged once
covers: [THR-08]
steps:
  - open_task: {}
  - request_permission: { details: { type: file_access, actions: [read], identifier: doc_1 } }
  - get_token: {}
  - get_token: {}
    expect: { status: 403 }
`.replace('status: 403', 'status: { at_least: 400 }'),
  'suite/tokens/twice.yaml',
)
const careless = scenarioOf(
  `scenario: A permission can be exchanged
steps:
  - open_task: {}
  - request_permission: { details: { type: file_access, actions: [read], identifier: doc_1 } }
  - get_token: {}
`,
  'suite/tokens/careless.yaml',
)
const aside = scenarioOf(
  `scenario: Public documents are public
steps:
  - assert: { value: 1, expect: 1 }
`,
  'suite/documents/aside.yaml',
)

describe('sabotage', () => {
  it('finds the scenario that covers the broken rule, and runs no other', async () => {
    const { findings } = await sabotage(
      [careless, twice],
      misbehaviours('issuer-exchanges-twice'),
      target,
    )

    expect(findings[0]?.caughtBy).toEqual([twice])
    expect(findings[0]?.missedBy).toEqual([])
  })

  it('finds a hole when no scenario notices', async () => {
    const { findings } = await sabotage(
      [careless, aside],
      misbehaviours('issuer-exchanges-twice'),
      target,
    )

    expect(findings[0]?.caughtBy).toEqual([])
    expect(findings[0]?.missedBy).toEqual([careless])
  })

  it('does not run excused misbehaviours, except with full', async () => {
    const [names, excuses] = [
      misbehaviours('issuer-exchanges-twice'),
      { 'issuer-exchanges-twice': 'x' },
    ]

    const brief = await sabotage([twice], names, target, { excuses })
    const full = await sabotage([twice], names, target, { excuses, full: true })

    expect(brief.findings[0]).toMatchObject({ excuse: 'x', caughtBy: [] })
    expect(full.findings[0]?.caughtBy).toEqual([twice])
  })

  it('lists scenarios that no misbehaviour makes fail', async () => {
    const { idle } = await sabotage([twice, aside], misbehaviours('issuer-exchanges-twice'), target)

    expect(idle).toEqual([aside])
  })

  it('stops waiting for an answer after the timeout', async () => {
    const { findings } = await sabotage([careless], misbehaviours('network-very-slow'), target, {
      patience: 50,
    })

    expect(findings[0]?.caughtBy).toEqual([careless])
  })

  it('throws NotGreen for a suite that fails without misbehaviour', async () => {
    const red = scenarioOf(
      'scenario: One is two, they say\nsteps:\n  - assert: { value: 1, expect: 2 }\n',
      'suite/documents/red.yaml',
    )

    await expect(sabotage([red], [], target)).rejects.toThrow(NotGreen)
  })
})
