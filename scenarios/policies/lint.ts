import { assess, conditionHolds, undecidedByPolicy } from '../../server/issuer/policy/policy.ts'
import { isReadable } from '../../server/issuer/policy/text-pattern.ts'
import { factsOf } from '../../server/issuer/policy/try-policy.ts'
import { didYouMean } from '../../server/wire/closest.ts'
import {
  type Condition,
  documentedActions,
  knownTypes,
  type Policy,
  type PolicyRule,
  RequestFacts,
} from '../../server/wire/index.ts'
import { type Position, placeOf } from '../language/source.ts'
import type { Conjunction } from './constraints.ts'
import { type TextName, textConditions } from './fields.ts'
import type { PolicySource } from './policy-source.ts'
import { sampleText } from './sample-text.ts'
import { findGaps } from './time-gaps.ts'
import { type Example, type Found, Universe } from './universe.ts'

/** The kinds of findings. */
export const findingKinds = {
  'never-applies': 'earlier rules take every request that the rule would apply to',
  contradiction: 'no request meets all conditions of the rule',
  'pattern-never-matches': 'no request has a value that the pattern matches',
  'unknown-action': 'no known type has the action',
  'approves-unknown': 'the rule approves actions or privileges that no rule names',
  'time-gap': 'windows of rules that are alike leave a gap',
  'too-few-approvers': 'the rule asks for more people than may approve',
  'no-catch-all': 'no rule applies to some requests',
  'same-name': 'two rules have one name',
} as const
export type FindingKind = keyof typeof findingKinds

/** A mistake in a policy, with an example request if one can show it. */
export type Finding = Readonly<{
  kind: FindingKind
  at: Position
  message: string
  example?: Example
}>

/** A question that lint cannot answer, or that depends on more than the policy. */
export type Note = Readonly<{ at: Position; message: string }>

export type Lint = Readonly<{ findings: readonly Finding[]; notes: readonly Note[] }>

/**
 * Finds mistakes in a policy. Every finding is correct: the issuer's own function decides each example,
 * and a message says `never` only after a complete search.
 * @param approvers number of people who may approve. Absent when unknown
 */
export const lintPolicy = (source: PolicySource, approvers?: number): Lint => {
  const { policy } = source
  const universe = new Universe([policy])
  const ways = policy.rules.map((rule) => universe.waysOf(rule, policy))
  const lint: Context = { source, policy, universe, ways, findings: [], notes: [] }
  for (const [index, rule] of policy.rules.entries()) {
    checkName(lint, rule, index)
    checkPatterns(lint, rule, index)
    checkActions(lint, rule, index)
    const reached = checkReach(lint, rule, index)
    if (typeof reached !== 'object') continue
    if (rule.decision === 'approve') checkUnknowns(lint, rule, index)
    if (rule.decision === 'ask') checkApprovers(lint, rule, index, reached, approvers)
  }
  checkWindows(lint)
  checkCatchAll(lint)
  return { findings: inOrder(lint.findings), notes: inOrder(lint.notes) }
}

type Context = Readonly<{
  source: PolicySource
  policy: Policy
  universe: Universe
  /** The ways in which each rule applies. */
  ways: readonly (readonly Conjunction[])[]
  findings: Finding[]
  notes: Note[]
}>

const inOrder = <T extends Readonly<{ at: Position }>>(all: readonly T[]): T[] =>
  all.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)

/** The rule that decides a request, by the issuer's own function. */
export const ruleFor = (policy: Policy, example: Example): PolicyRule =>
  assess(policy, factsOf(RequestFacts.parse(example))).rule

const named = ({ source, policy }: Context, index: number): string =>
  `"${policy.rules[index]?.name}" (${placeOf(source.locate(index))})`

/** @returns a request that the rule decides, if there is one */
const checkReach = (lint: Context, rule: PolicyRule, index: number): Found => {
  const { universe, ways, source, policy } = lint
  const at = source.locate(index)
  const own = ways[index] ?? []
  const alone = universe.find(own, [])
  if (alone === 'none') {
    reportContradiction(lint, rule, index)
    return 'none'
  }
  const found = universe.find(own, ways.slice(0, index).flat())
  if (typeof found === 'object') {
    if (ruleFor(policy, found) === rule) return found
    lint.notes.push({ at, message: `cannot know whether "${rule.name}" ever applies` })
    return 'unknown'
  }
  if (found === 'unknown') {
    lint.notes.push({ at, message: `cannot know whether "${rule.name}" ever applies` })
    return 'unknown'
  }
  const takers = takersOf(lint, index)
  const list = takers.map((it) => named(lint, it)).join(', ')
  lint.findings.push({
    kind: 'never-applies',
    at,
    message:
      takers.length === 1
        ? `"${rule.name}" never applies: the earlier rule ${list} takes all it would`
        : `"${rule.name}" never applies: the earlier rules ${list} together take all it would`,
    ...exampleOf(lint, index, takers),
  })
  return 'none'
}

/** A request to which the rule would apply, but which one of the takers decides. */
const exampleOf = ({ universe, ways }: Context, index: number, takers: readonly number[]) => {
  for (const taker of takers) {
    const both = (ways[index] ?? []).flatMap((own) =>
      (ways[taker] ?? []).map((it) => [...own, ...it]),
    )
    const example = universe.find(both, ways.slice(0, taker).flat())
    if (typeof example === 'object') return { example }
  }
  return {}
}

/** The earlier rules that take every request of the rule: one if possible, else a minimal set. */
const takersOf = ({ universe, ways }: Context, index: number): number[] => {
  const own = ways[index] ?? []
  const takesAll = (rules: readonly number[]) =>
    universe.find(
      own,
      rules.flatMap((it) => ways[it] ?? []),
    ) === 'none'
  const earlier = Array.from({ length: index }, (_, at) => at)
  const single = earlier.find((it) => takesAll([it]))
  if (single !== undefined) return [single]
  return earlier.reduce((left, rule) => {
    const fewer = left.filter((it) => it !== rule)
    return takesAll(fewer) ? fewer : left
  }, earlier)
}

const reportContradiction = (lint: Context, rule: PolicyRule, index: number): void => {
  const { universe, policy, source, findings, notes } = lint
  const stated = (Object.keys(rule.when) as (keyof Condition)[]).filter(
    (name) => rule.when[name] !== undefined,
  )
  const conflict = stated.reduce<(keyof Condition)[]>((left, name) => {
    const fewer = left.filter((it) => it !== name)
    return universe.find(universe.waysOf(rule, policy, fewer), []) === 'none' ? fewer : left
  }, stated)
  const [first] = conflict
  const at = source.locate(index, first)
  if (first === 'sensitive' && conflict.length === 1) {
    const message = `"${rule.name}" applies to nothing while the policy's "sensitive" names nothing`
    notes.push({ at, message })
    return
  }
  // A pattern that matches nothing is reported already.
  if (conflict.length === 1 && isTextCondition(first)) return
  findings.push({
    kind: 'contradiction',
    at,
    message: `no request meets ${list.format(conflict)} of "${rule.name}" together`,
  })
}

const list = new Intl.ListFormat('en-GB')

const isTextCondition = (name: keyof Condition | undefined): name is TextName =>
  (textConditions as readonly (string | undefined)[]).includes(name)

const checkName = ({ policy, source, findings }: Context, { name }: PolicyRule, index: number) => {
  const first = policy.rules.findIndex((it) => it.name === name)
  if (first === index) return
  findings.push({
    kind: 'same-name',
    at: source.locate(index),
    message: `"${name}" is also the name of the rule at ${placeOf(source.locate(first))}`,
  })
}

const checkPatterns = (lint: Context, { when }: PolicyRule, index: number): void => {
  const { universe, source, findings, notes } = lint
  const report = (condition: keyof Condition, message: string) => {
    findings.push({ kind: 'pattern-never-matches', at: source.locate(index, condition), message })
  }
  for (const name of textConditions) {
    const patterns = when[name]
    if (patterns === undefined || typeof patterns === 'boolean') continue
    for (const pattern of patterns) {
      if (!universe.canMatch(name, pattern)) {
        report(name, `${name}: "${pattern}" never matches: ${limits[name] ?? 'it is too long'}`)
      }
    }
  }
  const { length = 1, pattern } = when.justification_lacks ?? {}
  if (length > longestJustification) {
    report('justification_lacks', `a justification has at most ${longestJustification} characters`)
  }
  if (pattern === undefined) return
  if (!isReadable(pattern)) {
    report('justification_lacks', `RE2 cannot read /${pattern}/, so that it never matches`)
  } else if (sampleText(pattern) === undefined) {
    notes.push({
      at: source.locate(index, 'justification_lacks'),
      message: `cannot know whether any justification matches /${pattern}/`,
    })
  }
}

const longestJustification = 4096

const limits: Partial<Record<TextName, string>> = {
  on_behalf_of: 'it is not an e-mail address',
}

/** Reports actions of a rule for known types that no known type has. */
const checkActions = (lint: Context, rule: PolicyRule, index: number): void => {
  const { universe, source, policy, ways } = lint
  // The actions of other types are unknown.
  const isForKnown =
    rule.when.type?.every((type) => Object.hasOwn(knownTypes, type)) ??
    policy.rules.every(({ when }) => (when.type ?? []).every(isKnownOrPattern))
  if (!isForKnown) return
  for (const pattern of rule.when.actions ?? []) {
    const isKnown = universe.hasMember(
      'actions',
      (it) => documentedActions.has(it) && matchesAction(pattern, it),
    )
    if (isKnown.set !== 0n) continue
    const its = universe.hasMember('actions', (it) => matchesAction(pattern, it))
    const found = universe.find(
      (ways[index] ?? []).map((way) => [...way, its]),
      [],
    )
    lint.findings.push({
      kind: 'unknown-action',
      at: source.locate(index, 'actions'),
      message: `no known type has an action "${pattern}"${didYouMean(pattern, documentedActions)}`,
      ...(typeof found === 'object' ? { example: found } : {}),
    })
  }
}

/** Uses the issuer's condition, so that patterns have the same meaning. */
const matchesAction = (pattern: string, action: string): boolean =>
  conditionHolds(
    'actions',
    { ...undecidedByPolicy, when: { actions: [pattern] } },
    factsOf(RequestFacts.parse({ authorization_details: { type: 'x', actions: [action] } })),
    {} as Policy,
  )

const isKnownOrPattern = (type: string) =>
  Object.hasOwn(knownTypes, type) || type.includes('*') || type === 'scope'

/** Reports an approving rule that approves actions or privileges that no rule names. */
const checkUnknowns = (lint: Context, rule: PolicyRule, index: number): void => {
  const { universe, ways, policy, source } = lint
  const names = new Set(policy.rules.flatMap(({ when }) => when.actions ?? []))
  const unknowns = [
    {
      what: 'actions that the policy does not name',
      literal: universe.hasMember('actions', (it) => !documentedActions.has(it) && !names.has(it)),
    },
    ...(rule.when.privileges === undefined
      ? [{ what: 'any privileges', literal: universe.hasMember('privileges', () => true) }]
      : []),
  ]
  for (const { what, literal } of unknowns) {
    const found = universe.find(
      (ways[index] ?? []).map((way) => [...way, literal]),
      ways.slice(0, index).flat(),
    )
    if (found === 'none') continue
    if (found === 'unknown' || ruleFor(policy, found) !== rule) {
      const message = `cannot know whether "${rule.name}" approves ${what}`
      lint.notes.push({ at: source.locate(index), message })
      continue
    }
    lint.findings.push({
      kind: 'approves-unknown',
      at: source.locate(index),
      message: `"${rule.name}" approves ${what}`,
      example: found,
    })
  }
}

const checkApprovers = (
  { source, findings, notes }: Context,
  { approvers, name }: PolicyRule,
  index: number,
  example: Example,
  seeded: number | undefined,
): void => {
  const at = source.locate(index)
  if (seeded === undefined) {
    if (approvers < 2) return
    const message = `cannot know whether ${approvers} people may approve for "${name}": --config names a file with the users`
    notes.push({ at, message })
  } else if (approvers > seeded) {
    const people = seeded === 1 ? 'only 1 user has' : `only ${seeded} users have`
    const message = `"${name}" asks for ${approvers} approvers, and ${people} jit.approve: such a request expires`
    findings.push({ kind: 'too-few-approvers', at, message, example })
  }
}

const checkWindows = (lint: Context): void => {
  const { universe, ways, policy, source } = lint
  for (const { rules, from, to, at } of findGaps(policy)) {
    const [first = 0] = rules
    const found = universe.find(ways[first] ?? [], [])
    if (typeof found !== 'object') continue
    const example = { ...found, at }
    const decides = ruleFor(policy, example)
    // An earlier rule may take all requests in the gap.
    if (rules.some((it) => policy.rules[it] === decides)) continue
    lint.findings.push({
      kind: 'time-gap',
      at: source.locate(first, policy.rules[first]?.when.time ? 'time' : 'outside'),
      message: `the windows of ${rules.map((it) => named(lint, it)).join(', ')} leave a gap from ${from} to ${to}; then "${decides.name}" decides`,
      example,
    })
  }
}

const checkCatchAll = ({ universe, ways, policy, source, findings, notes }: Context): void => {
  const at = source.locate(policy.rules.length - 1)
  const found = universe.find([[]], ways.flat())
  if (found === 'none') return
  if (found === 'unknown' || ruleFor(policy, found) !== undecidedByPolicy) {
    notes.push({ at, message: 'cannot know whether a rule applies to every request' })
    return
  }
  findings.push({
    kind: 'no-catch-all',
    at,
    message: 'no rule applies to some requests; then a person is asked, at high risk',
    example: found,
  })
}
