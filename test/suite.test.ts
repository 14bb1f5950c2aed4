import { describe, expect, it } from 'vitest'
import { filesOf } from '../scenarios/cli/find-scenarios.ts'
import { placeOf } from '../scenarios/language/source.ts'
import { failureText } from '../scenarios/reports/failure.ts'
import { difference, loadScenarios, nameOf, type Result, run } from '../scenarios/runner/index.ts'
import type { Host } from '../scenarios/targets/mock/hosts.ts'
import { mock } from '../scenarios/targets/mock/mock.ts'

const { scenarios, problems } = await loadScenarios(filesOf([]))

/** Sequential: MSW takes over the global fetch, which also calls Express. */
const over = async (host: Host): Promise<readonly Result[]> => {
  const target = await mock(host)
  try {
    const { results } = await run(scenarios, target, { seed: 1 })
    return results
  } finally {
    await target.close()
  }
}
const express = await over('express')
const msw = await over('msw')

describe('the suite', () => {
  it('has no mistake in any file', () => {
    expect(problems.map(({ at, message }) => `${placeOf(at)}: ${message}`)).toEqual([])
  })
})

describe.each(express.map((result, index) => [nameOf(result), result, msw[index]] as const))(
  '%s',
  (_, overExpress, overMsw) => {
    it.for([
      ['Express', overExpress],
      ['MSW', overMsw],
    ] as const)('passes on %s', ([, result], { skip }) => {
      if (result?.verdict === 'skipped') skip(result.reason)

      const failures = result?.failures.map((it) => failureText(it, result)).join('\n\n')
      expect(result?.verdict, failures).toBe('passed')
    })

    it('gets the same answers on both hosts', () => {
      expect(overMsw && difference(overExpress, overMsw)).toBeUndefined()
    })
  },
)
