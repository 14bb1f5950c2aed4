import { describe, expect, it } from 'vitest'
import { filesOf } from '../../../scenarios/cli/find-scenarios.ts'
import { loadScenarios } from '../../../scenarios/language/load.ts'
import type { Target } from '../../../scenarios/language/target.ts'
import { reports } from '../../../scenarios/reports/formats.ts'
import { github } from '../../../scenarios/reports/github.ts'
import { run } from '../../../scenarios/runner/run.ts'
import { mock } from '../../../scenarios/targets/mock/mock.ts'

describe('the reports of a whole run', () => {
  it('contain no issued secret or token', {
    timeout: 120_000,
  }, async () => {
    const { scenarios } = await loadScenarios(filesOf([]))
    const issued = new Set<string>()
    const target = await mock('fetch')
    const results = await run(scenarios, overheard(target, issued), { seed: 1, policies: true })
    await target.close()

    const runs = [results, { ...results, results: results.results.map(failed) }]

    expect(issued.size).toBeGreaterThan(500)
    for (const [name, report] of Object.entries({ ...reports, github })) {
      const text = report(runs)
      const words = [...new Set(text.split(/[^\w.+/~%=-]+/))].join('\n')
      const found = [...issued].filter(
        (secret) => words.includes(secret) || words.includes(encodeURIComponent(secret)),
      )
      expect(found, name).toEqual([])
    }
  })
})

/** The target, with every issued secret recorded. */
const overheard = (target: Target, issued: Set<string>): Target => ({
  ...target,
  open: async (given, how) => {
    const session = await target.open(given, how)
    for (const it of [...session.agents, session.apiClient]) it && issued.add(it.client_secret)
    if (session.controlToken !== undefined) issued.add(session.controlToken)
    return {
      ...session,
      fetch: (seat) => async (input, init) => {
        const response = await session.fetch(seat)(input, init)
        const text = await response
          .clone()
          .text()
          .catch(() => '')
        for (const secret of secretsIn(text, response.headers)) issued.add(secret)
        return response
      },
    }
  },
})

/** Found independently of the redaction. */
const secretsIn = (text: string, headers: Headers): string[] =>
  [
    ...[...text.matchAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g)].map(([jwt]) => jwt),
    ...[
      ...text.matchAll(
        /"(?:\w*secret|\w*token|api_key|key)"\s*:\s*"((?!urn:|invalid_)[^"]{12,})"/g,
      ),
    ].map(([, value = '']) => value),
    ...[...(headers.get('location') ?? '').matchAll(/[?&]code=([^&#]+)/g)].map(([, it = '']) => it),
    ...headers.getSetCookie().map((it) => it.split(/[=;]/)[1] ?? ''),
  ].filter((it) => it.length >= 8)

/** All results as failed, so that reports contain the most. */
const failed = (result: Awaited<ReturnType<typeof run>>['results'][number]) => ({
  ...result,
  verdict: 'failed' as const,
  failures: result.exchanges.map((exchange, index) => ({
    kind: 'expectation' as const,
    code: 'differs' as const,
    violations: [],
    message: `does not match: ${exchange.answer.body}`,
    at: { file: result.file, line: 1, column: 1 },
    excerpt: '',
    step: exchange.step,
    differences: [{ path: 'body', expected: '', received: exchange.answer.body, at: [] }],
    exchange: index,
  })),
})
