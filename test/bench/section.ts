import type { Bar } from './chart.ts'
import type { Budget, Table } from './figures.ts'

export type Sizes = Readonly<{
  rounds: number
  /** Of each measurement. */
  seconds: number
  /** After which memory is looked at. */
  tokens: number
}>

/** What a part of the programme found out. */
export type Found = Readonly<{
  tables: readonly Readonly<{ title: string; table: Table; notes?: readonly string[] }>[]
  budgets?: readonly Budget[]
  /** What makes a figure doubtful. */
  warnings?: readonly string[]
  bars?: readonly Bar[]
  /** Everything measured, round by round. */
  data: unknown
}>

export type Section = Readonly<{
  says: string
  /** Measures the sources alone: neither the package nor the peers are needed. */
  sourcesOnly?: true
  measure: (sizes: Sizes) => Promise<Found>
}>

/** Each of them once a round, in an order that turns round every time; a dot for each on the terminal. */
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
