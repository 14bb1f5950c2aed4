import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { statement } from '../../../scenarios/checks/statement.ts'
import { failureText } from '../../../scenarios/reports/failure.ts'
import { reports } from '../../../scenarios/reports/formats.ts'
import { emptyResult, type Failure, type Result } from '../../../scenarios/runner/verdict.ts'
import { inertText } from '../../../server/wire/inert-text.ts'

/** Text that controls a terminal or a CI runner, or changes the reading order. */
const hostile = [
  '\u001b]0;title\u0007',
  '\u001b[2J',
  '\u009b31m',
  '\r::stop-commands::x',
  '\n::add-mask::secret',
  '\n   ::error file=a::x',
  '\n##[error]x',
  '\n##vso[task.setvariable variable=a]b',
  '\u202egnp.exe',
  '\u2066\u200b',
  '\n# all kept\n',
  '<script>alert(1)</script>',
]

const commandsTerminal = /(?![\t\n])\p{Cc}|[\u200b-\u200f\u2028-\u202e\u2060-\u2069]/u

const failure: Failure = {
  kind: 'expectation',
  code: 'differs',
  message: hostile.join(' '),
  at: { file: 'a.yaml', line: 1, column: 1 },
  excerpt: '',
  step: '1',
  differences: [{ path: 'body.error', expected: '"a"', received: hostile.join(' '), at: [] }],
  violations: [],
  exchange: 0,
}

const result = {
  ...emptyResult({
    title: 'A title',
    file: 'a.yaml',
    line: 1,
    theme: 'a',
    target: 'x',
    host: 'fetch',
    covers: ['RAR-01'],
  } as never),
  verdict: 'failed',
  failures: [failure],
  exchanges: [
    {
      seat: 'issuer',
      step: '1',
      at: 0,
      duration: 1,
      request: { method: 'GET', url: 'http://a.test/', headers: {}, body: hostile.join('') },
      answer: { status: 400, headers: { location: hostile.join('') }, body: hostile.join('') },
    },
  ],
} as unknown as Result

const skipped = {
  ...result,
  title: `A title ${hostile.join(' ')}`,
  target: hostile.join(' '),
  verdict: 'skipped',
  failures: [],
  reason: `introspection answered ${hostile.join(' ')}`,
} as unknown as Result

describe('untrusted text', () => {
  it('keeps no character that controls a terminal, and no line that commands a CI runner', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'binary' }))),
        (parts) => {
          const text = inertText(parts.join(''))
          expect(text).not.toMatch(commandsTerminal)
          expect(text).not.toMatch(/^\s*(?:::|##)/m)
        },
      ),
    )
  })

  it('is inert in a failure, with a mark before each line of a body', () => {
    const text = failureText(failure, result)

    expect(text).not.toMatch(commandsTerminal)
    expect(text).not.toMatch(/^\s*(?:::|##)/m)
    expect(text).toContain('⟨U+001B⟩')
    expect(text).toContain('< ::add-mask::secret')
  })

  it('adds no heading, HTML or control character to a statement', () => {
    const text = statement(
      {
        seat: 'issuer',
        name: hostile.join(' '),
        where: hostile.join(' '),
        harness: '1',
        facts: [hostile.join(' ')],
        rules: new Map(),
        compared: { known: [], fresh: [], stale: [] } as never,
        leftovers: [hostile.join(' ')],
      },
      [{ target: 'x', startedAt: 0, duration: 1, results: [result] }],
    )

    expect(text).not.toMatch(commandsTerminal)
    expect(text).not.toContain('<script>')
    expect(text.match(/^# .*/gm)).toHaveLength(1)
  })

  it.each(['junit', 'ctrf', 'markdown', 'terminal'] as const)(
    'is inert in the %s report',
    async (name) => {
      const run = { target: 'x', startedAt: 0, duration: 1, results: [result, skipped] }
      const render = reports[name] as unknown as (runs: unknown) => unknown
      const text = String(await render([run]))

      if (name === 'ctrf') {
        expect(() => JSON.parse(text)).not.toThrow()
        return
      }
      expect(text.replaceAll('\t', '')).not.toMatch(commandsTerminal)
      expect(text).not.toMatch(/^\s*(?:::|##[^#\s])/m)
      if (name === 'junit') expect(text).not.toContain('<script>alert(1)')
    },
  )
})
