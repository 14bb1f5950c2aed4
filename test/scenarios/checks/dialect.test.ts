import { afterAll, beforeAll, expect, it } from 'vitest'
import { DialectDetector } from '../../../scenarios/checks/dialect.ts'
import type { Target } from '../../../scenarios/language/target.ts'
import { run } from '../../../scenarios/runner/run.ts'
import type { Result } from '../../../scenarios/runner/verdict.ts'
import { mock } from '../../../scenarios/targets/mock/mock.ts'
import { scenarioOf } from '../support.ts'

let referenceMock: Target
beforeAll(async () => {
  referenceMock = await mock('fetch')
})
afterAll(async () => {
  await referenceMock.close()
})

const completing = (file: string) =>
  scenarioOf(
    `scenario: A completed task is 200 (${file})
covers: [LUMO-ROW-05]
steps:
  - open_task: {}
  - complete_task: {}
    expect: { status: 200 }
`,
    file,
  )

it('does not attribute the effect of a switch found by another scenario to the next switch', async () => {
  const [first, second] = [completing('first.yaml'), completing('second.yaml')]
  const elsewhere: Target = {
    ...referenceMock,
    open: (given, how) =>
      referenceMock.open({ ...given, dialect: { complete_status: '204' } }, how),
  }
  const { results } = await run([first, second], elsewhere)
  // Both results are examined concurrently; the second continues after the first has found the switch.
  const held: Target = {
    ...referenceMock,
    open: async (given, how) => {
      while (how.tenant.includes('second') && !('complete_status' in ear.found)) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      return referenceMock.open(given, how)
    },
  }
  const ear = new DialectDetector(held)

  const heard = await Promise.all(
    [first, second].map((it, at) => ear.heard(results[at] as Result, it)),
  )

  expect(results.map((it) => it.verdict)).toEqual(['failed', 'failed'])
  expect(heard.map((it) => it.reason)).toEqual([
    'the issuer uses another dialect: complete_status 204',
    'the issuer uses another dialect: complete_status 204',
  ])
  expect(ear.found).toEqual({ complete_status: '204' })
})
