import type { Stall, Stalls } from '../alone/stalls.ts'
import { told } from '../figures.ts'
import { outcomeOf } from '../process.ts'
import { alternating, type Section } from '../section.ts'

/** The milliseconds that one request may block all others. */
const budget = 50

export const stalls: Section = {
  says: 'how long one request keeps all others waiting: the worst a stranger can send to each route',
  sourcesOnly: true,
  measure: async ({ rounds }) => {
    const seen = await alternating(rounds, ['stalls'], () => outcomeOf<Stalls>('alone/stalls.ts'))
    const found = seen.get('stalls') ?? []
    const routes = (found[0]?.routes ?? []).toSorted((a, b) => b.ms - a.ms)
    const special = found[0]?.special ?? []
    return {
      tables: [
        table('Every route: the ten slowest, each at the worst of its inputs', routes.slice(0, 10)),
        table('With a body or a state of its own', special),
      ],
      budgets: [
        {
          what: `the longest of ${routes.length} routes and ${special.length} cases`,
          unit: 'ms',
          atMost: budget,
          rounds: found.map((round) => longestOf([...round.routes, ...round.special])),
        },
      ],
      data: found,
    }
  },
}

const longestOf = (all: readonly Stall[]): number => Math.max(...all.map(({ ms }) => ms))

const table = (title: string, rows: readonly Stall[]) => ({
  title,
  table: {
    columns: ['what', 'answered', 'ms'],
    rows: rows.map(({ what, answered, ms }) => [what, answered, told(ms)]),
  },
  notes: [
    'The longest time between two turns of the event loop, in-process: parsing, handling and writing one answer. Of the first round.',
  ],
})
