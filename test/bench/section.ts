import type { Bar } from './chart.ts'
import type { Budget, Table } from './figures.ts'

export type Sizes = Readonly<{
  rounds: number
  /** Of each measurement. */
  seconds: number
  /** When memory is read. */
  tokens: number
}>

/** The result of one section of the bench. */
export type Found = Readonly<{
  tables: readonly Readonly<{ title: string; table: Table; notes?: readonly string[] }>[]
  budgets?: readonly Budget[]
  /** Reasons to doubt a figure. */
  warnings?: readonly string[]
  bars?: readonly Bar[]
  /** All measurements, round by round. */
  data: unknown
}>

export type Section = Readonly<{
  says: string
  /** Measures the sources only, without the package and the peers. */
  sourcesOnly?: true
  measure: (sizes: Sizes) => Promise<Found>
}>

/**
 * Runs each once a round, in an order that is reversed every time; prints a dot for each on the
 * terminal.
 */
export const alternating = async <T, R>(
  rounds: number,
  all: readonly T[],
  measure: (one: T) => Promise<R>,
): Promise<Map<T, R[]>> => {
  const seen = new Map<T, R[]>(all.map((one) => [one, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const one of round % 2 === 0 ? all : [...all].reverse()) {
      seen.get(one)?.push(await measure(one))
      process.stderr.write('.')
    }
  }
  return seen
}
