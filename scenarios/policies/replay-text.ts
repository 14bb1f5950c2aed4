import { addDecisions } from '../../server/issuer/policy/replay-policy.ts'
import { inertText } from '../../server/wire/inert-text.ts'
import type { Decisions, ReplayedDay } from '../../server/wire/policy-replay.ts'
import { escapeMarkdown } from '../reports/escape.ts'
import { exampleText } from './example-text.ts'
import type { Replay } from './replay.ts'

/** A replay for a terminal: a table and a chart of the days, then the changed decisions. */
export const replayText = (replay: Replay): string => {
  const { days, changes } = replay
  if (days.length === 0) return `${headOf(replay)}\n`
  const rows = [head, ...days.map(cellsOf), cellsOf(totalOf(days))]
  const widths = head.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)))
  const table = rows.map((row) =>
    row.map((cell, at) => cell[at === 0 ? 'padEnd' : 'padStart'](widths[at] ?? 0)).join('  '),
  )
  const lines = [
    headOf(replay),
    '',
    ...table,
    '',
    ...chartOf(days),
    ...(changes.length === 0 ? [] : ['', 'decided otherwise:']),
    ...changes.flatMap(({ before, after, count, example }) => [
      `  ${count} × ${before.decision} → ${after.decision}: "${before.rule}" → "${after.rule}"`,
      `    such as ${exampleText(example)}`,
    ]),
  ]
  return inertText(`${lines.join('\n')}\n`)
}

/** The same as Markdown. */
export const replayMarkdown = (replay: Replay): string => {
  const { days, changes } = replay
  const row = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(' | ')} |`
  return [
    '## Policy replay',
    '',
    escapeMarkdown(headOf(replay)),
    '',
    ...(days.length === 0
      ? []
      : [
          row(head),
          `|---|${head
            .slice(1)
            .map(() => '--:|')
            .join('')}`,
          ...[...days, totalOf(days)].map((it) => row(cellsOf(it))),
          '',
          '```text',
          ...chartOf(days),
          '```',
          '',
        ]),
    ...(changes.length === 0
      ? []
      : [
          '| Requests | Decision | Rule before | Rule after | Such as |',
          '|--:|---|---|---|---|',
          ...changes.map(({ count, before, after, example }) =>
            row([
              String(count),
              `${before.decision} → ${after.decision}`,
              before.rule,
              after.rule,
              exampleText(example),
            ]),
          ),
          '',
        ]),
  ].join('\n')
}

const headOf = ({ requests, tenants, completeFrom, days }: Replay): string => {
  const of = tenants.length === 1 ? `the tenant ${tenants[0]}` : `${tenants.length} tenants`
  const count = requests === 1 ? '1 decided request' : `${requests} decided requests`
  const since =
    completeFrom === undefined
      ? ''
      : `; complete for what was decided since ${new Date(completeFrom * 1000).toISOString()}`
  const { spared, given } = totalOf(days)
  return `${count} of ${of}: ${spared} prompts spared, ${given} given${since}`
}

const head = [
  'day',
  ...['before: approved', 'asked', 'denied'],
  ...['after: approved', 'asked', 'denied'],
  ...['spared', 'given'],
]

const cellsOf = ({ day, before, after, spared, given }: ReplayedDay): string[] =>
  [day, ...valuesOf(before), ...valuesOf(after), spared, given].map(String)

const valuesOf = ({ approve, ask, deny }: Decisions) => [approve, ask, deny]

const none: Decisions = { approve: 0, ask: 0, deny: 0 }

const totalOf = (days: readonly ReplayedDay[]): ReplayedDay => ({
  day: 'total',
  before: days.reduce((sum, it) => addDecisions(sum, it.before), none),
  after: days.reduce((sum, it) => addDecisions(sum, it.after), none),
  spared: days.reduce((sum, it) => sum + it.spared, 0),
  given: days.reduce((sum, it) => sum + it.given, 0),
})

const width = 60

/** Two bars per day: before and after. */
const chartOf = (days: readonly ReplayedDay[]): string[] => {
  const most = Math.max(1, ...days.map(({ before }) => sumOf(before)))
  const bar = (decisions: Decisions) => {
    const [approved = 0, asked = 0, denied = 0] = valuesOf(decisions)
    // Rounds the sums, so that rounding never makes a bar longer.
    const ends = [approved, approved + asked, approved + asked + denied].map((it) =>
      Math.round((it / most) * width),
    ) as [number, number, number]
    return `${'█'.repeat(ends[0])}${'▒'.repeat(ends[1] - ends[0])}${'·'.repeat(ends[2] - ends[1])}`
  }
  return [
    '█ approved  ▒ asked  · denied',
    ...days.flatMap(({ day, before, after }) => [
      `${day} before ${bar(before)}`,
      `${' '.repeat(day.length)} after  ${bar(after)}`,
    ]),
  ]
}

const sumOf = (decisions: Decisions) => valuesOf(decisions).reduce((sum, it) => sum + it, 0)
