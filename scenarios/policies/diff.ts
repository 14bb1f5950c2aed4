import { assess, undecidedByPolicy } from '../../server/issuer/policy/policy.ts'
import { factsOf, type PolicyOutcome, tryPolicy } from '../../server/issuer/policy/try-policy.ts'
import { longestTtl, type Policy, type PolicyRule, RequestFacts } from '../../server/wire/index.ts'
import { type Example, Universe } from './universe.ts'

/**
 * Whether a policy allows more than before. `looser`: a permission is easier to get, or lasts longer.
 * `other`: neither, such as another risk level.
 */
export type Direction = 'looser' | 'stricter' | 'other'

/** Requests that one rule decided, and that another rule now decides differently. */
export type Change = Readonly<{
  direction: Direction
  /** The members that differ: `decision`, `approvers`, `ttl` and so on. */
  members: readonly string[]
  before: PolicyOutcome
  after: PolicyOutcome
  /** A minimal request: every member is needed to show the change. */
  example: Example
}>

/** A changed setting outside the rules. */
export type SettingChange = Readonly<{
  direction: Direction
  setting: string
  before: unknown
  after: unknown
}>

export type PolicyDiff = Readonly<{
  changes: readonly Change[]
  settings: readonly SettingChange[]
  /** Pairs of rules for which the search did not find out whether both decide the same request. */
  notes: readonly string[]
}>

/** The decisions that a new policy changes, looser changes first. A request shows each change. */
export const diffPolicies = (before: Policy, after: Policy): PolicyDiff => {
  const universe = new Universe([before, after])
  const [old, new_] = [sideOf(universe, before), sideOf(universe, after)]
  const changes: Change[] = []
  const notes: string[] = []
  for (const one of old) {
    for (const other of new_) {
      if (isAlike(one, other)) continue
      const pairs = one.ways.flatMap((a) => other.ways.map((b) => [...a, ...b]))
      const found = universe.find(pairs, [...one.earlier, ...other.earlier])
      if (found === 'none') continue
      const change = typeof found === 'object' ? changeAt(before, after, found) : undefined
      if (change !== undefined) changes.push(change)
      else
        notes.push(
          `cannot know whether a request shows that "${one.rule.name}" and "${other.rule.name}" decide otherwise`,
        )
    }
  }
  return {
    changes: changes.toSorted((a, b) => weightOf(a) - weightOf(b)),
    settings: settingsOf(before, after),
    notes,
  }
}

/** A rule of a policy, and the rules before it. */
const sideOf = (universe: Universe, policy: Policy) => {
  const ways = policy.rules.map((rule) => universe.waysOf(rule, policy))
  return [...policy.rules, undecidedByPolicy].map((rule, index) => ({
    rule,
    policy,
    ways: ways[index] ?? [[]],
    earlier: ways.slice(0, index).flat(),
  }))
}

type Side = ReturnType<typeof sideOf>[number]

/** Whether two rules decide every request in the same way. */
const isAlike = (one: Side, other: Side): boolean => effectOf(one) === effectOf(other)

/** The members of a decision that do not depend on the request. */
const effectOf = ({ rule, policy }: Readonly<{ rule: PolicyRule; policy: Policy }>): string => {
  const { decision, risk, reason } = rule
  const max = Math.min(longestTtl, policy.max_ttl, rule.max_ttl ?? longestTtl)
  const usual = Math.min(policy.default_ttl, max)
  switch (decision) {
    case 'approve':
      return JSON.stringify([decision, risk, reason, max, usual])
    case 'ask': {
      const timeout = rule.timeout ?? policy.approval_timeout
      return JSON.stringify([decision, risk, reason, max, usual, rule.approvers, timeout])
    }
    case 'deny':
      return JSON.stringify([decision, risk, reason ?? rule.name])
  }
}

/** The change that a request shows, with the smallest such request. */
const changeAt = (before: Policy, after: Policy, found: Example): Change | undefined => {
  const rules = (example: Example) => {
    const facts = factsOf(RequestFacts.parse(example))
    return [assess(before, facts).rule, assess(after, facts).rule] as const
  }
  const [one, other] = rules(found)
  const shows = (example: Example) => {
    const [a, b] = rules(example)
    return a === one && b === other && compare(before, after, example).members.length > 0
  }
  // If the lifetimes differ only above the requested one, a longer request shows it.
  const longer = { ...found, requested_ttl: longestTtl }
  const start = [found, longer].find(shows)
  return start && compare(before, after, smallest(start, shows))
}

const compare = (before: Policy, after: Policy, example: Example): Change => {
  const facts = factsOf(RequestFacts.parse(example))
  const [a, b] = [tryPolicy(before, facts), tryPolicy(after, facts)]
  const members = compared.filter(
    (name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]) && isSaid(name, a, b),
  )
  return { direction: directionOf(a, b), members, before: a, after: b, example }
}

const compared = ['decision', 'approvers', 'ttl', 'max_ttl', 'timeout', 'risk', 'reason'] as const

/** A changed decision changes other members, too. */
const isSaid = (name: string, a: PolicyOutcome, b: PolicyOutcome): boolean =>
  a.decision === b.decision || name === 'decision' || name === 'risk'

const ranks = { deny: 0, ask: 1, approve: 2 } as const

const directionOf = (a: PolicyOutcome, b: PolicyOutcome): Direction => {
  if (a.decision !== b.decision) {
    return ranks[b.decision] > ranks[a.decision] ? 'looser' : 'stricter'
  }
  const steps = [
    (a.approvers ?? 0) - (b.approvers ?? 0),
    (b.ttl ?? 0) - (a.ttl ?? 0),
    (b.max_ttl ?? 0) - (a.max_ttl ?? 0),
    (b.timeout ?? 0) - (a.timeout ?? 0),
  ]
  if (steps.some((it) => it > 0)) return 'looser'
  return steps.some((it) => it < 0) ? 'stricter' : 'other'
}

/** Looser before stricter; in each, the change that allows the most first. */
const weightOf = ({ direction, before, after }: Change): number => {
  const step = Math.abs(ranks[after.decision] - ranks[before.decision])
  const isApproved = after.decision === 'approve' || before.decision === 'approve' ? 0 : 1
  return (
    { looser: 0, stricter: 100, other: 200 }[direction] +
    (step === 0 ? 50 : 10 - step * 2 + isApproved)
  )
}

/** Removes one member after the other, as long as the request still shows the change. */
const smallest = (example: Example, shows: (it: Example) => boolean): Example => {
  for (const fewer of withLess(example)) if (shows(fewer)) return smallest(fewer, shows)
  return example
}

function* withLess(example: Example): Generator<Example> {
  const { authorization_details: detail, ...facts } = example
  for (const name of Object.keys(facts)) {
    const { [name as keyof typeof facts]: _, ...rest } = facts
    yield { authorization_details: detail, ...rest }
  }
  const { type, ...members } = detail
  for (const [name, value] of Object.entries(members)) {
    const { [name]: _, ...rest } = members
    yield { ...example, authorization_details: { type, ...rest } }
    if (!Array.isArray(value)) continue
    for (const index of value.keys()) {
      if (value.length < 2) break
      yield {
        ...example,
        authorization_details: { ...detail, [name]: value.toSpliced(index, 1) },
      }
    }
  }
}

/** Settings that no single request shows. A higher value is looser (1) or stricter (-1). */
const settingsOf = (before: Policy, after: Policy): SettingChange[] => {
  const changes: SettingChange[] = []
  const note = (setting: string, a: unknown, b: unknown, more: 1 | -1 | 0) => {
    if (JSON.stringify(a) === JSON.stringify(b)) return
    const step = typeof a === 'number' && typeof b === 'number' ? (b - a) * more : 0
    const direction = step > 0 ? 'looser' : step < 0 ? 'stricter' : 'other'
    changes.push({ setting, before: a, after: b, direction })
  }
  note('task_lifetime', before.task_lifetime, after.task_lifetime, 1)
  note('poll_interval', before.poll_interval, after.poll_interval, 0)
  for (const name of Object.keys(before.scoring) as (keyof Policy['scoring'])[]) {
    // A higher limit suspends later, a higher score sooner.
    const more = /^(?:suspend|agent)_/.test(name) ? 1 : -1
    note(`scoring.${name}`, before.scoring[name], after.scoring[name], more)
  }
  for (const name of Object.keys(before.limits) as (keyof Policy['limits'])[]) {
    note(`limits.${name}`, before.limits[name], after.limits[name], 1)
  }
  return changes.toSorted((a, b) => order[a.direction] - order[b.direction])
}

const order = { looser: 0, stricter: 1, other: 2 } as const

/** Whether something became looser. */
export const isLooser = ({ changes, settings }: PolicyDiff): boolean =>
  [...changes, ...settings].some(({ direction }) => direction === 'looser')
