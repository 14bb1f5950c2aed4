import type { Result } from '../runner/verdict.ts'

/** How many results were skipped for a reason. */
export type ReasonCount = Readonly<{ reason: string; count: number }>

/**
 * The reasons of skipped results, the most frequent first. Reasons that differ only in a name or a
 * number count as one.
 */
export const groupReasons = (results: readonly Result[]): readonly ReasonCount[] => {
  const reasons = results.flatMap(({ verdict, reason }) =>
    verdict === 'skipped' ? [shorten(reason ?? 'no reason given')] : [],
  )
  const groups = Map.groupBy(reasons, (it) => it.replaceAll(/\d+(\.\d+)?/g, '#'))
  return [...groups.values()]
    .map((group) => ({ reason: describeGroup(group), count: group.length }))
    .sort((a, b) => b.count - a.count)
}

/** One reason; where they differ in a number, with the least and the greatest. */
const describeGroup = (group: readonly string[]): string => {
  const [least = '', ...more] = group.toSorted((a, b) => numberIn(a) - numberIn(b))
  const greatest = numberIn(more.at(-1) ?? least)
  return greatest === numberIn(least)
    ? least
    : least.replace(/\d+(\.\d+)?/, (number) => `${number} to ${greatest}`)
}

const numberIn = (text: string): number => Number(/\d+(\.\d+)?/.exec(text)?.[0] ?? 0)

/** The reason without what names one scenario. */
const shorten = (reason: string): string => {
  for (const [pattern, general] of generals) {
    if (pattern.test(reason)) return reason.replace(pattern, general)
  }
  return reason
}

const generals: readonly (readonly [RegExp, string])[] = [
  [/^[^(]*, which needs --allow-writes \((.*)\)$/s, 'needs --allow-writes ($1)'],
  [/^the target has no control plane, which .*$/s, 'the target has no control plane'],
  [
    /^it needs (\S+) s of real time; .* allows .*$/s,
    'needs $1 s of real time; limits: { wait: … } allows more',
  ],
  [
    /^the approver answers after (\S+) s of real time$/s,
    'needs $1 s of real time; limits: { wait: … } allows more',
  ],
  [
    /^it names \S+, which has another name at this target$/s,
    'it names an agent or a user that has another name at this target',
  ],
  [
    /^the target has no (agent|user) like .*$/s,
    'the target has no such $1 (see agents and users in the target)',
  ],
  [/^precondition not reached: (.*?) \(.*$/s, 'precondition not reached: $1'],
  [/^not available: .* (answered \d+)$/s, 'not available: $1'],
]
