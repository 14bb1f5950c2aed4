import { budgetTable, doubts, markdownOf } from './figures.ts'
import type { Machine } from './machine.ts'
import type { Found, Sizes } from './section.ts'

export type Results = Readonly<{
  sizes: Sizes
  machine: Machine
  sections: (Found & Readonly<{ name: string; seconds: number; failed?: string }>)[]
}>

/** The page at the end of a run: first verdicts, then the measurements behind them. */
export const reportOf = ({ sizes, machine, sections }: Results): string => {
  const budgets = sections.flatMap((it) => it.budgets ?? [])
  const warnings = [
    ...sections.flatMap(({ name, failed }) =>
      failed === undefined ? [] : [`${name} failed: ${failed}`],
    ),
    ...doubts(budgets),
    ...sections.flatMap((it) => it.warnings ?? []),
    ...(sizes.rounds < 5
      ? [`Fewer than 5 rounds (${sizes.rounds}) are too few for a verdict.`]
      : []),
  ]
  const { cpu, cores, memoryGiB, kernel, node, commit, load } = machine
  return `${[
    '# Benchmarks',
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}, commit ${commit}; load average ${load.begun} when it began, ${load.ended} when it ended.`,
    `Rounds: ${sizes.rounds}, of ${sizes.seconds} s, in alternating order, fresh processes, loopback, 10 connections unless said otherwise. Figures are medians of the rounds, ratios medians of the ratios within a round.`,
    ...(budgets.length === 0 ? [] : ['## Budgets', markdownOf(budgetTable(budgets))]),
    ...(warnings.length === 0 ? [] : ['## Warnings', warnings.map((it) => `- ${it}`).join('\n')]),
    ...sections.flatMap(({ tables }) =>
      tables.flatMap(({ title, table, notes = [] }) => [
        `## ${title}`,
        markdownOf(table),
        ...notes,
      ]),
    ),
    `Took ${sections.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`).join(', ')}.`,
  ].join('\n\n')}\n`
}
