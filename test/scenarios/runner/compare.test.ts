import { describe, expect, it } from 'vitest'
import { difference } from '../../../scenarios/runner/compare.ts'
import type { Exchange } from '../../../scenarios/runner/exchange.ts'
import type { Result } from '../../../scenarios/runner/verdict.ts'

const exchange = (over: {
  step?: string
  origin?: string
  status?: number
  body?: string
}): Exchange => {
  const { step = '1', origin = 'http://127.0.0.1:4321', status = 200, body = '{}' } = over
  return {
    step,
    seat: 'issuer',
    route: null,
    request: { method: 'GET', url: `${origin}/t/a/api/v1/x`, headers: {}, body: '' },
    answer: { status, headers: { date: origin }, body },
    duration: 1,
    violations: [],
  }
}

const result = (target: string, exchanges: Exchange[], parallel: string[] = []): Result => ({
  ...{
    title: 'One',
    file: 'one.yaml',
    line: 1,
    theme: 'a',
    covers: [],
    tags: [],
    prefix: 'tenant',
  },
  ...{ target, round: 1, verdict: 'passed', failures: [], tokens: [], duration: 1, exchanges },
  steps: parallel.map((step) => ({ step, word: 'parallel', line: 1, duration: 1, passed: true })),
})

describe('two hosts', () => {
  it('differ by verdict', () => {
    const failed = { ...result('msw', []), verdict: 'failed' } as const

    expect(difference(result('express', []), failed)).toBe('express passed, msw failed')
  })

  it.for([
    ['status', { status: 201 }],
    ['body', { body: '{"a":1}' }],
  ] as const)('differ by the %s of an answer', ([, over]) => {
    const [express, msw] = [result('express', [exchange({})]), result('msw', [exchange(over)])]

    expect(difference(express, msw)).toContain('express answered {')
  })

  it('differ when one sent more answers', () => {
    const [express, msw] = [
      result('express', [exchange({})]),
      result('msw', [exchange({}), exchange({ step: '2' })]),
    ]

    expect(difference(express, msw)).toContain('msw {')
  })

  it('differ by the counts of statuses of concurrent requests', () => {
    const at = (...statuses: number[]) =>
      statuses.map((status, index) => exchange({ step: `1.${index + 1}.1`, status }))

    expect(difference(result('a', at(200, 403), ['1']), result('b', at(200, 200), ['1']))).toBe(
      'concurrently, a answered 1 issuer 200, 1 issuer 403; b 1 issuer 200, 1 issuer 200',
    )
    expect(
      difference(result('a', at(200, 403), ['1']), result('b', at(403, 200), ['1'])),
    ).toBeUndefined()
  })

  it('do not differ by origin, keys or the order of ids', () => {
    const over = (origin: string, id: string, kid: string) =>
      exchange({ origin, body: `{"at":"${origin}/x","request_id":"jit_${id}","kid":"${kid}"}` })

    expect(
      difference(
        result('express', [over('http://127.0.0.1:1', '0123456789abcdef', 'K'.repeat(20))]),
        result('msw', [over('https://issuer.lumoauth.test', 'fedcba9876543210', 'L'.repeat(20))]),
      ),
    ).toBeUndefined()
  })
})
