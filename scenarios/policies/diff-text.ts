import type { PolicyOutcome } from '../../server/issuer/policy/try-policy.ts'
import { inertText } from '../../server/wire/inert-text.ts'
import { escapeMarkdown } from '../reports/escape.ts'
import type { Change, PolicyDiff } from './diff.ts'
import { exampleText } from './example-text.ts'

/** The difference of two policies for a terminal: a paragraph for each change. */
export const diffText = ({ changes, settings, notes }: PolicyDiff): string => {
  const lines = [
    ...changes.flatMap(({ direction, example, ...change }) => [
      `${direction}: ${said(change)}`,
      `  before   "${change.before.rule}"`,
      `  after    "${change.after.rule}"`,
      `  example  ${exampleText(example)}`,
    ]),
    ...settings.map(
      ({ direction, setting, before, after }) =>
        `${direction}: ${setting} ${shown(before)} → ${shown(after)}`,
    ),
    ...notes.map((it) => `note: ${it}`),
    countText({ changes, settings, notes }),
  ]
  return inertText(`${lines.join('\n')}\n`)
}

/** The same for a job summary. */
export const diffMarkdown = (diff: PolicyDiff): string => {
  const { changes, settings, notes } = diff
  const row = (...cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(' | ')} |`
  return [
    `## Policy: ${countText(diff)}`,
    '',
    ...(changes.length === 0
      ? []
      : [
          '| | Decision | Rule before | Rule after | Example |',
          '|---|---|---|---|---|',
          ...changes.map(({ direction, example, ...change }) =>
            row(
              marks[direction],
              said(change),
              change.before.rule,
              change.after.rule,
              exampleText(example),
            ),
          ),
          '',
        ]),
    ...(settings.length === 0
      ? []
      : [
          '| | Setting | Before | After |',
          '|---|---|---|---|',
          ...settings.map(({ direction, setting, before, after }) =>
            row(marks[direction], setting, shown(before), shown(after)),
          ),
          '',
        ]),
    ...notes.map((it) => `- ${escapeMarkdown(it)}`),
    '',
  ].join('\n')
}

const marks = { looser: '⚠️ looser', stricter: 'stricter', other: 'other' } as const

const countText = ({ changes, settings }: PolicyDiff): string => {
  const all = [...changes, ...settings]
  const count = (direction: string) => all.filter((it) => it.direction === direction).length
  return all.length === 0
    ? 'no request is decided otherwise'
    : `${count('looser')} looser, ${count('stricter')} stricter, ${count('other')} other`
}

/** `ask → approve`; for equal decisions, the members that differ. */
const said = ({ before, after, members }: Pick<Change, 'before' | 'after' | 'members'>): string =>
  members
    .map((name) => {
      const [a, b] = [before, after].map((it) => shown(it[name as keyof PolicyOutcome]))
      return name === 'decision' ? `${a} → ${b}` : `${name} ${a} → ${b}`
    })
    .join(', ')

const shown = (value: unknown): string =>
  value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value)
