import type { Result } from '../runner/verdict.ts'

/** How many results were skipped for a reason. */
export type ReasonCount = Readonly<{ reason: string; count: number }>

/**
 * The reasons of skipped results, the most frequent first. Where the results of a group need real time,
 * with the least and the greatest number of seconds.
 */
export const groupReasons = (results: readonly Result[]): readonly ReasonCount[] => {
  const skipped = results.filter(({ verdict }) => verdict === 'skipped')
  const groups = Map.groupBy(
    skipped,
    ({ reason, skip }) => skip?.group ?? reason ?? 'no reason given',
  )
  return [...groups]
    .map(([group, of]) => ({ reason: group + describeSeconds(of), count: of.length }))
    .sort((a, b) => b.count - a.count)
}

const describeSeconds = (results: readonly Result[]): string => {
  const seconds = results.flatMap(({ skip }) => skip?.seconds ?? [])
  if (seconds.length === 0) return ''
  const [least, greatest] = [Math.min(...seconds), Math.max(...seconds)]
  return least === greatest ? ` (${least} s)` : ` (${least} to ${greatest} s)`
}
