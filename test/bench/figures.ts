/** Calculations with measurements; nothing here measures. */

export const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** The number that this share of all numbers does not exceed. */
export const percentile = (numbers: readonly number[], share: number): number => {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** The spread of the rounds, as a share of their median. */
export const spread = (numbers: readonly number[]): number =>
  (Math.max(...numbers) - Math.min(...numbers)) / median(numbers)

/** The ratio in each round: what slows one contender slows the other, too. */
export const ratios = (ours: readonly number[], theirs: readonly number[]): number[] =>
  ours.map((number, round) => number / (theirs[round] ?? Number.NaN))

/** A requirement, and whether each round meets it. */
export type Budget = Readonly<{
  what: string
  unit: string
  rounds: readonly number[]
  /**
   * The same by processor time, which a busy machine disturbs less. Shown only; it decides nothing.
   */
  byCpu?: readonly number[]
}> &
  (Readonly<{ atLeast: number }> | Readonly<{ atMost: number }>)

export type Verdict = Readonly<{
  figure: number
  met: boolean
  /** The number of rounds that meet it. */
  agreeing: number
}>

/** Met if the median of the rounds meets it; a missing figure does not. */
export const judged = (budget: Budget): Verdict => {
  const isMet = (figure: number) =>
    'atLeast' in budget ? figure >= budget.atLeast : figure <= budget.atMost
  const figure = median(budget.rounds)
  const met = isMet(figure)
  return { figure, met, agreeing: budget.rounds.filter((round) => isMet(round) === met).length }
}

export type Table = Readonly<{
  columns: readonly string[]
  rows: readonly (readonly string[])[]
}>

export const markdownOf = ({ columns, rows }: Table): string =>
  [columns, columns.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')

/** As many digits as are significant. */
export const told = (figure: number): string => {
  if (!Number.isFinite(figure)) return '–'
  const size = Math.abs(figure)
  return figure.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 4)
}

export const budgetTable = (budgets: readonly Budget[]): Table => ({
  columns: ['budget', 'demanded', 'seen', 'verdict', 'rounds that say so', 'by CPU time'],
  rows: budgets.map((budget) => {
    const { figure, met, agreeing } = judged(budget)
    const demanded = 'atLeast' in budget ? `≥ ${budget.atLeast}` : `≤ ${budget.atMost}`
    return [
      budget.what,
      `${demanded} ${budget.unit}`.trim(),
      `${told(figure)} ${budget.unit}`.trim(),
      met ? 'met' : '**missed**',
      `${agreeing} of ${budget.rounds.length}`,
      budget.byCpu === undefined ? '' : `${told(median(budget.byCpu))} ${budget.unit}`,
    ]
  }),
})

/** What a reader must know before trusting a verdict. */
export const doubts = (budgets: readonly Budget[]): string[] =>
  budgets.flatMap((budget) => {
    const { met, agreeing } = judged(budget)
    const others = budget.rounds.length - agreeing
    return others === 0
      ? []
      : [
          `${budget.what}: ${met ? 'met' : 'missed'}, but ${others === 1 ? '1 round says' : `${others} rounds say`} otherwise.`,
        ]
  })

/** Rows whose rounds lie too far apart for a conclusion. */
export const unsteady = (rows: readonly Readonly<{ what: string; rounds: readonly number[] }>[]) =>
  rows
    .filter(({ rounds }) => spread(rounds) > 0.3)
    .map(
      ({ what, rounds }) =>
        `${what}: the rounds lie ${(spread(rounds) * 100).toFixed(0)} % apart; conclude nothing from this row alone.`,
    )
