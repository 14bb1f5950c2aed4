import {
  type AuthorizationDetail,
  type Condition,
  documentedActions,
  type Explanation,
  longestTtl,
  type Policy,
  type PolicyRule,
} from '../wire/index.ts'
import { textMatches } from './text-pattern.ts'
import { isWithinWindow } from './time-window.ts'

/** All a policy may know of a request. */
export type Facts = Readonly<{
  detail: AuthorizationDetail
  agent: string
  /** Names of the agents that registered it, one after another. */
  ancestors?: readonly string[] | undefined
  taskType?: string | undefined
  /** E-mail of the user the agent acts for. */
  onBehalfOf?: string | undefined
  requestedTtl?: number | undefined
  justification?: string | undefined
  /** The running risk of the task, before this request. */
  score: number
  /** Of the task and those above it. */
  denials: number
  /** Of the agent and those it registered, in all their tasks within 600 s. */
  agentDenials?: number | undefined
  /** Of the same, within 60 s. */
  requestsLastMinute: number
  now: number
}>

export type Assessment = Readonly<{
  rule: PolicyRule
  /** Seconds the token gets if approved now. */
  ttl: number
  /** The most an approver may give, in seconds. */
  maxTtl: number
  explanation: Explanation
}>

/** Rules from the top, the first that applies decides; where none does, a person is asked. */
export const assess = (policy: Policy, facts: Facts): Assessment => {
  const rule = ruleFor(policy, facts) ?? undecidedByPolicy
  const maxTtl = Math.min(longestTtl, policy.max_ttl, rule.max_ttl ?? longestTtl)
  const wouldPass = rule.decision === 'approve' ? undefined : smallestThatPasses(policy, facts)
  return {
    rule,
    maxTtl,
    ttl: Math.min(facts.requestedTtl ?? policy.default_ttl, maxTtl),
    explanation: {
      rule: rule.name,
      decision: rule.decision,
      risk_level: rule.risk,
      inputs: {
        agent: facts.agent,
        score: facts.score,
        denials: facts.denials,
        requests_last_minute: facts.requestsLastMinute,
        ...(facts.agentDenials ? { agent_denials: facts.agentDenials } : {}),
        ...(facts.ancestors?.length ? { ancestors: facts.ancestors } : {}),
        ...(facts.requestedTtl === undefined ? {} : { requested_ttl: facts.requestedTtl }),
        ...(facts.onBehalfOf === undefined ? {} : { on_behalf_of: facts.onBehalfOf }),
      },
      ...(rule.reason === undefined ? {} : { reason: rule.reason }),
      ...(wouldPass === undefined ? {} : { would_pass: wouldPass }),
    },
  }
}

/** The rule after the last one of every policy. */
export const undecidedByPolicy: PolicyRule = {
  name: 'no rule applies, so a person is asked',
  when: {},
  risk: 'high',
  decision: 'ask',
  approvers: 1,
}

const ruleFor = (policy: Policy, facts: Facts): PolicyRule | undefined =>
  policy.rules.find((rule) => holds(rule, facts, policy))

/**
 * Whether every condition of a rule holds. An absent one always does. Of the lists of a detail any
 * member is enough for a rule that asks or denies; a rule that approves needs every member to match,
 * or an action that nobody approved would pass beside one that is.
 */
const holds = (rule: PolicyRule, facts: Facts, policy: Policy): boolean => {
  for (const name in rule.when) {
    if (!conditionHolds(name as keyof Condition, rule, facts, policy)) return false
  }
  return true
}

/** Whether one condition that a rule states holds. One that it does not state always does. */
export const conditionHolds = (
  name: keyof Condition,
  rule: PolicyRule,
  facts: Facts,
  policy: Policy,
): boolean => {
  const wanted = rule.when[name]
  if (wanted === undefined) return true
  return (conditions[name] as Test<unknown>)(wanted, facts, { policy, decision: rule.decision })
}

type Test<Wanted> = (
  wanted: Wanted,
  facts: Facts,
  context: Readonly<{ policy: Policy; decision: PolicyRule['decision'] }>,
) => boolean

const list =
  (name: 'actions' | 'locations' | 'datatypes' | 'privileges'): Test<readonly string[]> =>
  (patterns, { detail }, { decision }) =>
    matchesList(decision, patterns, detail[name] ?? [])

const conditions: { [K in keyof Condition]-?: Test<NonNullable<Condition[K]>> } = {
  type: (patterns, { detail }) => matchesAny(patterns, [detail.type]),
  actions: list('actions'),
  identifier: (patterns, { detail }) => matchesAny(patterns, [detail.identifier ?? '']),
  locations: list('locations'),
  datatypes: list('datatypes'),
  privileges: list('privileges'),
  undocumented_actions: (wanted, { detail }) => wanted === hasUndocumentedAction(detail),
  sensitive: (wanted, { detail }, { policy }) => wanted === isSensitive(policy, detail),
  // In a rule that approves each ancestor must match, too: a helper is no mightier than its makers.
  agent: (patterns, { agent, ancestors = [] }, { decision }) =>
    matchesList(decision, patterns, [agent, ...ancestors]),
  task_type: (patterns, { taskType }) => matchesAny(patterns, [taskType ?? '']),
  on_behalf_of: (wanted, { onBehalfOf }) => actsFor(wanted, onBehalfOf),
  ttl_over: (limit, { requestedTtl }) => (requestedTtl ?? 0) > limit,
  score_from: (limit, { score }) => score >= limit,
  denials_from: (limit, { denials }) => denials >= limit,
  agent_denials_from: (limit, { agentDenials }) => (agentDenials ?? 0) >= limit,
  requests_last_minute_from: (limit, { requestsLastMinute }) => requestsLastMinute >= limit,
  justification_lacks: (wanted, { justification }) => justificationLacks(wanted, justification),
  time: (window, { now }) => isWithinWindow(window, now),
  outside: (window, { now }) => !isWithinWindow(window, now),
}

const matchesList = (
  decision: PolicyRule['decision'],
  patterns: readonly string[],
  values: readonly string[],
): boolean =>
  decision === 'approve' ? matchesEvery(patterns, values) : matchesAny(patterns, values)

const matchesEvery = (patterns: readonly string[], values: readonly string[]) =>
  values.length > 0 && values.every((value) => matchesAny(patterns, [value]))

const matchesAny = (patterns: readonly string[], values: readonly string[]) =>
  patterns.some((pattern) => values.some((value) => matchesPattern(pattern, value)))

/** `*` stands for any run of characters; compared in linear time, without a regular expression. */
export const matchesPattern = (pattern: string, value: string): boolean => {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return value === pattern
  if (!value.startsWith(first)) return false
  const last = rest.pop() as string
  let at = first.length
  for (const part of rest) {
    const found = value.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return value.length - last.length >= at && value.endsWith(last)
}

const hasUndocumentedAction = ({ type, actions = [] }: AuthorizationDetail) =>
  type !== 'scope' && actions.some((action) => !documentedActions.has(action))

const isSensitive = ({ sensitive }: Policy, { type, identifier = '' }: AuthorizationDetail) =>
  (sensitive.types !== undefined && matchesAny(sensitive.types, [type])) ||
  (sensitive.identifiers !== undefined && matchesAny(sensitive.identifiers, [identifier]))

const actsFor = (wanted: boolean | readonly string[], user: string | undefined) =>
  typeof wanted === 'boolean'
    ? wanted === (user !== undefined)
    : user !== undefined && matchesAny(wanted, [user])

/** Whether a justification is too short, or does not match. */
export const justificationLacks = (
  { length, pattern }: NonNullable<Condition['justification_lacks']>,
  justification = '',
) =>
  justification.trim().length < (length ?? 1) ||
  (pattern !== undefined && !textMatches(pattern, justification))

/**
 * Of what was asked, the actions that would each be approved by themselves, where they pass together,
 * too; else the first that would.
 */
const smallestThatPasses = (policy: Policy, facts: Facts): AuthorizationDetail | undefined => {
  const { actions } = facts.detail
  if (actions === undefined || actions.length < 2) return undefined
  const fewer = actions.filter((action) => {
    const alone = { ...facts, detail: { ...facts.detail, actions: [action] } }
    return ruleFor(policy, alone)?.decision === 'approve'
  })
  const together = { ...facts.detail, actions: fewer }
  if (fewer.length === 0) return undefined
  const passes = ruleFor(policy, { ...facts, detail: together })?.decision === 'approve'
  return passes ? together : { ...facts.detail, actions: fewer.slice(0, 1) }
}
