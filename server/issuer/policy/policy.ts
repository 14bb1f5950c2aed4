import {
  type AuthorizationDetail,
  type Condition,
  documentedActions,
  type Explanation,
  longestTtl,
  type Policy,
  type PolicyRule,
} from '../../wire/index.ts'
import { textMatches } from './text-pattern.ts'
import { isWithinWindow } from './time-window.ts'

/** All inputs of a policy for one request. */
export type Facts = Readonly<{
  detail: AuthorizationDetail
  agent: string
  /** Names of the agents that registered it, in order. */
  ancestors?: readonly string[] | undefined
  taskType?: string | undefined
  /** E-mail address of the user the agent acts for. */
  onBehalfOf?: string | undefined
  requestedTtl?: number | undefined
  justification?: string | undefined
  /** The risk score of the task, before this request. */
  score: number
  /** Of the task and its parent tasks. */
  denials: number
  /** Of the agent and the agents it registered, in all their tasks within 600 s. */
  agentDenials?: number | undefined
  /** As above, within 60 s. */
  requestsLastMinute: number
  now: number
}>

export type Assessment = Readonly<{
  rule: PolicyRule
  /** Lifetime of the token in seconds, if approved now. */
  ttl: number
  /** Maximum lifetime an approver may grant, in seconds. */
  maxTtl: number
  explanation: Explanation
}>

/** Decides a request: the first rule that matches applies; without a matching rule a person decides. */
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

/** The rule that applies after all others. */
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
 * Whether every condition of a rule holds. An absent condition always holds. For the lists of a detail,
 * a rule that asks or denies needs one matching member. A rule that approves needs all members to
 * match, because one approved action must not approve another one beside it.
 */
const holds = (rule: PolicyRule, facts: Facts, policy: Policy): boolean => {
  for (const name in rule.when) {
    if (!conditionHolds(name as keyof Condition, rule, facts, policy)) return false
  }
  return true
}

/** Whether one given condition of a rule holds. An absent condition always holds. */
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
  // In a rule that approves, each registering agent must match as well, so that a helper is not wider
  // than the agent that registered it.
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

/** `*` matches any run of characters. Linear time, without a regular expression. */
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
 * The smallest request that would be approved: all requested actions that would each be approved alone,
 * if they are approved together; else the first of them.
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
