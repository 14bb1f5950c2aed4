import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { SkipReason } from '../../../scenarios/language/target.ts'
import { groupReasons } from '../../../scenarios/reports/group-reasons.ts'
import { type LiveOutputOptions, liveOutput } from '../../../scenarios/reports/live-output.ts'
import { wrapLines } from '../../../scenarios/reports/wrap.ts'
import {
  emptyResult,
  type Result,
  skipResult,
  type Verdict,
} from '../../../scenarios/runner/verdict.ts'

const result = (theme: string, title: string, verdict: Verdict, reason?: string): Result => ({
  ...emptyResult({ title, file: 'a.yaml', line: 1, theme, covers: [], target: 'x' }),
  duration: 5,
  verdict,
  ...(reason === undefined ? {} : { reason }),
})

const results = [
  result('tasks', 'One', 'passed'),
  result('tasks', 'Two', 'failed'),
  result('tokens', 'Three', 'skipped', 'no time'),
  result('tokens', 'Four', 'passed'),
]

/** What is printed when the results arrive in this order. */
const printed = (reporter: LiveOutputOptions['reporter'], order = [0, 1, 2, 3]) => {
  const stream = new PassThrough()
  const show = liveOutput(stream as never, { total: results.length, reporter })
  for (const index of order) show(results[index] as Result, index)
  return String(stream.read() ?? '')
}

describe('results as they arrive', () => {
  const themes = '✗ tasks  1 passed, 1 failed\n    ✗ Two 5 ms\n✓ tokens  1 passed, 1 skipped\n'

  it('are a line for each theme, with failed titles below', () => {
    expect(printed('themes')).toBe(themes)
    expect(printed(undefined)).toBe(themes)
  })

  it('are in the order of the list, whatever arrives first', () => {
    expect(printed('themes', [3, 1, 0, 2])).toBe(themes)
  })

  it('are a line, a character or nothing, as the reporter says', () => {
    expect(printed('list')).toContain('  - Three skipped: no time\n')
    expect(printed('dot')).toBe('.Fs.\n')
    expect(printed('quiet')).toBe('')
  })
})

describe('reasons of skipped results', () => {
  const reasons = (...skips: SkipReason[]) =>
    groupReasons(skips.map((it) => skipResult(result('tasks', 'One', 'passed'), it)))

  it('are counted, the most frequent first', () => {
    expect(reasons('interrupted', 'no token', 'no token')).toEqual([
      { reason: 'no token', count: 2 },
      { reason: 'interrupted', count: 1 },
    ])
  })

  it('count as one within a group, with the least and the greatest number of seconds', () => {
    expect(
      reasons(
        { reason: 'it needs 20 s', group: 'needs time', seconds: 20 },
        { reason: 'it needs 301 s', group: 'needs time', seconds: 301 },
        { reason: 'it sends POST /a, which needs --allow-writes', group: 'needs --allow-writes' },
        { reason: 'it sends POST /b, which needs --allow-writes', group: 'needs --allow-writes' },
        { reason: 'it needs 3 s', group: 'needs a little time', seconds: 3 },
      ),
    ).toEqual([
      { reason: 'needs time (20 to 301 s)', count: 2 },
      { reason: 'needs --allow-writes', count: 2 },
      { reason: 'needs a little time (3 s)', count: 1 },
    ])
  })
})

describe('lines', () => {
  const line = `  ${'word '.repeat(12).trim()}`

  it('are broken at spaces on a terminal', () => {
    const lines = wrapLines([line], { isTTY: true, columns: 40 } as never)

    expect(lines.length).toBeGreaterThan(1)
    expect(lines.every((it) => it.length <= 40 && /^ {2,4}word/.test(it))).toBe(true)
    expect(lines.join(' ').match(/word/g)).toHaveLength(12)
  })

  it('stay as they are elsewhere', () => {
    expect(wrapLines([line], new PassThrough())).toEqual([line])
  })
})
