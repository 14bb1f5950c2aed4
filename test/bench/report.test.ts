import { describe, expect, it } from 'vitest'
import { chart } from './chart.ts'
import { type Budget, judged, markdownOf, median, percentile, spread } from './figures.ts'
import { reportOf } from './report.ts'
import { peerBudgets, peerTable, type Row } from './sections/peers.ts'

describe('figures', () => {
  it('have a median for an odd or even count, and none for an empty list', () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([])]).toEqual([2, 2.5, Number.NaN])
  })

  it('have percentiles that are members of the list', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n)

    expect([0.5, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([50, 99, 100])
    expect(percentile([7], 0.01)).toBe(7)
  })

  it('have a spread relative to their median', () => {
    expect(spread([8, 10, 14])).toBeCloseTo(0.6)
  })
})

describe('a budget', () => {
  const atLeast = (rounds: number[]): Budget => ({ what: 'it', unit: '×', atLeast: 0.8, rounds })
  const atMost = (rounds: number[]): Budget => ({ what: 'it', unit: 'ms', atMost: 2, rounds })

  it('is missed when the median misses it, whatever the mean', () => {
    expect(judged(atLeast([0.7, 0.7, 9]))).toEqual({ figure: 0.7, met: false, agreeing: 2 })
    expect(judged(atMost([0, 2.1, 2.2]))).toEqual({ figure: 2.1, met: false, agreeing: 2 })
  })

  it('is met exactly at its limit', () => {
    expect([judged(atLeast([0.8])).met, judged(atMost([2])).met]).toEqual([true, true])
  })

  it('is missed without a measurement', () => {
    expect([judged(atLeast([])).met, judged(atMost([Number.NaN])).met]).toEqual([false, false])
  })
})

const row = (algorithm: string, name: string, ...perSecond: number[]): Row => ({
  algorithm,
  name,
  rounds: perSecond.map((rate) => ({
    firstTokenMs: 1e6 / rate,
    startCpuMs: 5e5 / rate,
    idleMiB: 70,
    load: { perSecond: rate, p50: 1, p99: 2, cpuMs: 1e6 / rate },
  })),
})

const rows = [
  row('RS256', 'floor', 1000, 500, 1000),
  row('RS256', 'oauth2-mock-server', 500, 250, 500),
  row('RS256', 'oidc-provider', 800, 400, 800),
  row('RS256', 'lumoauth-harness', 900, 450, 700),
]

describe('the comparison with peers', () => {
  it('divides within each round, so that a slow round does not count', () => {
    const { columns, rows: cells } = peerTable(rows)

    const ours = cells.find(([, name]) => name === 'lumoauth-harness') ?? []
    expect(ours[columns.indexOf('× floor')]).toBe('0.90')
    expect(ours[columns.indexOf('tokens/s')]).toBe('700')
    expect(ours[columns.indexOf('spread')]).toBe('64 %')
  })

  it('uses the published package', () => {
    const budgets = peerBudgets(rows).filter(({ what }) => what.startsWith('RS256'))

    expect(budgets.map((it) => [it.what, judged(it).met])).toEqual([
      ['RS256: start to first token, of oidc-provider’s', false],
      ['RS256: tokens/s, of floor’s', true],
      ['RS256: tokens/s, of oidc-provider’s', false],
      ['RS256: tokens/s, of oauth2-mock-server’s', true],
    ])
  })
})

describe('the report', () => {
  const report = (budgets: Budget[], rounds = 5) =>
    reportOf({
      sizes: { rounds, seconds: 3, tokens: 1000 },
      machine: {
        cpu: 'a processor',
        cores: 2,
        memoryGiB: 8,
        kernel: '6',
        node: 'v24',
        commit: 'abc',
        load: { begun: '0.1 0.1 0.1', ended: '2.0 1.0 0.5' },
      },
      sections: [
        {
          name: 'peers',
          seconds: 60,
          tables: [{ title: 'Side by side', table: peerTable(rows) }],
          budgets,
          data: rows,
        },
      ],
    })

  it('shows for each budget whether it is met, and in how many rounds', () => {
    const page = report(peerBudgets(rows).slice(0, 3))

    expect(page).toContain(
      '| RS256: tokens/s, of floor’s | ≥ 0.75 × | 0.90 × | met | 2 of 3 | 0.90 × |',
    )
    expect(page).toContain('| ≥ 1.15 × | 1.13 × | **missed** | 3 of 3 | 1.13 × |')
    expect(page).toContain('- RS256: tokens/s, of floor’s: met, but 1 round says otherwise.')
  })

  it('warns of too few rounds, and of failed measurements', () => {
    const missing: Budget = { what: 'it', unit: 's', atMost: 5, rounds: [] }

    const page = report([missing], 2)

    expect(page).toContain('- Fewer than 5 rounds (2) are too few for a verdict.')
    expect(page).toContain('| it | ≤ 5 s | – s | **missed** | 0 of 0 |')
  })

  it('keeps table rows whole, whatever their cells contain', () => {
    expect(markdownOf({ columns: ['a|b'], rows: [['1']] })).toBe('| a\\|b |\n| --- |\n| 1 |')
  })
})

describe('the chart', () => {
  it('has a bar for each figure, in proportion, and escapes labels', () => {
    const svg = chart('A & B', 'tokens/s', [
      { group: 'RS256', name: '<floor>', value: 1000, isOurs: false },
      { group: 'RS256', name: 'lumoauth-harness', value: 500, isOurs: true },
    ])

    expect(
      [...svg.matchAll(/<rect class="(\w+)".* width="(\d+)"/g)].map((it) => it.slice(1)),
    ).toEqual([
      ['other', '340'],
      ['ours', '170'],
    ])
    expect(svg).toContain('&lt;floor&gt;')
    expect(svg).toContain('A &amp; B')
    expect(svg).not.toContain('<floor>')
    expect(svg).toContain('prefers-color-scheme: dark')
  })
})
