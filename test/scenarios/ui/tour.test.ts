import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesOf, suiteFolder } from '../../../scenarios/cli/find-scenarios.ts'
import { loadScenarios } from '../../../scenarios/language/load.ts'
import { run } from '../../../scenarios/runner/run.ts'
import { mock } from '../../../scenarios/targets/mock/mock.ts'
import { tourText } from '../../../scenarios/ui/tour.ts'

const files = filesOf([join(suiteFolder(), '../learn')])

describe('the tour', () => {
  it('has eight scenarios, which pass, and rules that they show', async () => {
    const { scenarios, problems } = await loadScenarios(files)
    const target = await mock('fetch')
    const { results } = await run(scenarios, target)
    await target.close()

    expect(problems).toEqual([])
    expect(results.map(({ verdict }) => verdict)).toEqual(Array(8).fill('passed'))
    expect(scenarios.filter(({ covers }) => covers.length === 0)).toEqual([])
  })

  it('goes from the refusal to the revocation', async () => {
    const { scenarios } = await loadScenarios(files)
    const { steps: first } = scenarios[0] ?? {}
    const { steps: last } = scenarios[7] ?? {}

    expect(first?.[0]?.expect).toMatchObject({ status: 403 })
    expect(last?.map((step) => Object.keys(step)[0])).toContain('complete_task')
  })

  it.each(files)('%s explains itself, and suggests a change', async (file) => {
    const text = tourText({ theme: 'learn' }, await readFile(file, 'utf8'))

    expect(text?.says.length).toBeGreaterThan(0)
    expect(text?.try.length).toBeGreaterThan(0)
    expect(text?.says.join(' ')).not.toMatch(/#|yaml-language-server/)
  })

  it('says nothing beside other scenarios', () => {
    expect(tourText({ theme: 'founding' }, '# A comment\nscenario: x')).toBe(null)
  })
})
