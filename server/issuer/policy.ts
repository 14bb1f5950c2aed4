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
        ...(facts.requestedTtl === undefined ? {} : { requested_ttl: facts.requestedTtl }),
        ...(facts.onBehalfOf === undefined ? {} : { on_behalf_of: facts.onBehalfOf }),
      },
      ...(rule.reason === undefined ? {} : { reason: rule.reason }),
      ...(wouldPass === undefined ? {} : { would_pass: wouldPass }),
    },
  }
}

const undecidedByPolicy: PolicyRule = {
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
const holds = ({ when, decision }: PolicyRule, facts: Facts, policy: Policy): boolean =>
  matchesAny(when.type, [facts.detail.type]) &&
  lists.every((list) =>
    decision === 'approve'
      ? matchesEvery(when[list], facts.detail[list] ?? [])
      : matchesAny(when[list], facts.detail[list] ?? []),
  ) &&
  matchesAny(when.identifier, [facts.detail.identifier ?? '']) &&
  (when.undocumented_actions === undefined ||
    when.undocumented_actions === hasUndocumentedAction(facts.detail)) &&
  (when.sensitive === undefined || when.sensitive === isSensitive(policy, facts.detail)) &&
  matchesAgents(decision, when.agent, facts) &&
  matchesAny(when.task_type, [facts.taskType ?? '']) &&
  actsFor(when.on_behalf_of, facts.onBehalfOf) &&
  atLeast(when.score_from, facts.score) &&
  atLeast(when.denials_from, facts.denials) &&
  atLeast(when.agent_denials_from, facts.agentDenials ?? 0) &&
  atLeast(when.requests_last_minute_from, facts.requestsLastMinute) &&
  (when.ttl_over === undefined || (facts.requestedTtl ?? 0) > when.ttl_over) &&
  (when.justification_lacks === undefined ||
    lacks(when.justification_lacks, facts.justification)) &&
  (when.time === undefined || isWithinHours(when.time, facts.now)) &&
  (when.outside === undefined || !isWithinHours(when.outside, facts.now))

const lists = ['actions', 'locations', 'datatypes', 'privileges'] as const

const matchesEvery = (patterns: readonly string[] | undefined, values: readonly string[]) =>
  patterns === undefined ||
  (values.length > 0 && values.every((value) => matchesAny(patterns, [value])))

const matchesAny = (patterns: readonly string[] | undefined, values: readonly string[]) =>
  patterns === undefined ||
  patterns.some((pattern) => values.some((value) => matches(pattern, value)))

/**
 * A rule that approves must match each registering agent as well, so that a helper is not wider than
 * the agent that registered it.
 */
const matchesAgents = (
  decision: PolicyRule['decision'],
  patterns: readonly string[] | undefined,
  { agent, ancestors = [] }: Facts,
): boolean =>
  decision === 'approve'
    ? matchesEvery(patterns, [agent, ...ancestors])
    : matchesAny(patterns, [agent, ...ancestors])

/** `*` matches any run of characters. Linear time, without a regular expression. */
const matches = (pattern: string, value: string): boolean => {
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

const actsFor = (wanted: Condition['on_behalf_of'], user: string | undefined) =>
  wanted === undefined ||
  (typeof wanted === 'boolean'
    ? wanted === (user !== undefined)
    : user !== undefined && matchesAny(wanted, [user]))

const atLeast = (limit: number | undefined, value: number) => limit === undefined || value >= limit

const lacks = (
  { length, pattern }: NonNullable<Condition['justification_lacks']>,
  justification = '',
) =>
  justification.trim().length < (length ?? 1) ||
  (pattern !== undefined && !textMatches(pattern, justification))

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/** The hours after midnight belong to the day before. */
const isWithinHours = ({ days: on, from, to }: NonNullable<Condition['time']>, now: number) => {
  const date = new Date(now * 1000)
  const time = date.toISOString().slice(11, 16)
  const [start, end] = [from ?? '00:00', to ?? '24:00']
  const crosses = start > end
  const isMorningAfter = crosses && time < end
  const inHours = crosses ? isMorningAfter || time >= start : time >= start && time < end
  const day = days[(date.getUTCDay() + (isMorningAfter ? 6 : 0)) % 7] as (typeof days)[number]
  return inHours && (on === undefined || on.includes(day))
}

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
