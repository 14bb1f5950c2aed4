import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { groupReasons } from '../../../scenarios/reports/group-reasons.ts'
import { type LiveOutputOptions, liveOutput } from '../../../scenarios/reports/live-output.ts'
import { wrapLines } from '../../../scenarios/reports/wrap.ts'
import { emptyResult, type Result, type Verdict } from '../../../scenarios/runner/verdict.ts'

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
  const reasons = (...texts: string[]) =>
    groupReasons(texts.map((it) => result('tasks', it, 'skipped', it)))

  it('are counted, the most frequent first', () => {
    expect(reasons('interrupted', 'no token', 'no token')).toEqual([
      { reason: 'no token', count: 2 },
      { reason: 'interrupted', count: 1 },
    ])
  })

  it('count as one where they differ in a number or a name', () => {
    expect(
      reasons(
        'it needs 20 s of real time; limits: { wait: … } allows 10',
        'it needs 301 s of real time; limits: { wait: … } allows 10',
        'it sends POST /a, which needs --allow-writes (writes: [other])',
        'it sends POST /b, which needs --allow-writes (writes: [other])',
        'precondition not reached: the request waits (status: expected a, received b)',
        'precondition not reached: the request waits (answered 403)',
      ),
    ).toEqual([
      { reason: 'needs 20 to 301 s of real time; limits: { wait: … } allows more', count: 2 },
      { reason: 'needs --allow-writes (writes: [other])', count: 2 },
      { reason: 'precondition not reached: the request waits', count: 2 },
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
