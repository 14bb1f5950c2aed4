import { conditionHolds, type Facts, undecidedByPolicy } from '../../server/issuer/policy/policy.ts'
import { localTimeIn } from '../../server/issuer/policy/time-window.ts'
import { factsOf, type PolicyOutcome, tryPolicy } from '../../server/issuer/policy/try-policy.ts'
import type { Condition, RequestFacts, TimeWindow } from '../../server/wire/index.ts'
import { inertText } from '../../server/wire/inert-text.ts'
import { type Position, placeOf } from '../language/source.ts'
import { exampleText } from './example-text.ts'
import type { PolicySource } from './policy-source.ts'

/** Why one condition holds or fails. */
export type ExplainedCondition = Readonly<{
  name: keyof Condition
  holds: boolean
  wanted: unknown
  /** The value in the request. Undefined when it has none. */
  received: unknown
}>

/** Why a rule applies or not. Rules after the deciding rule are not reached. */
export type ExplainedRule = Readonly<{
  name: string
  at: Position
  state: 'applies' | 'does not apply' | 'not reached'
  conditions: readonly ExplainedCondition[]
}>

export type PolicyExplanation = Readonly<{
  outcome: PolicyOutcome
  rules: readonly ExplainedRule[]
}>

/** How a policy decides a request: its rules in order, and why each applies or not. */
export const explainRequest = (
  { policy, locate }: PolicySource,
  request: RequestFacts,
): PolicyExplanation => {
  const facts = factsOf(request)
  let isDecided = false
  const rules = policy.rules.map((rule, index): ExplainedRule => {
    const conditions = (Object.keys(rule.when) as (keyof Condition)[])
      .filter((name) => rule.when[name] !== undefined)
      .map((name) => ({
        name,
        holds: conditionHolds(name, rule, facts, policy),
        wanted: name === 'sensitive' ? [rule.when.sensitive, policy.sensitive] : rule.when[name],
        received: receivedBy(name, facts, rule.when[name]),
      }))
    const applies = conditions.every(({ holds }) => holds)
    const state = isDecided ? 'not reached' : applies ? 'applies' : 'does not apply'
    isDecided ||= applies
    return { name: rule.name, at: locate(index), state, conditions }
  })
  return { outcome: tryPolicy(policy, facts), rules }
}

/** The part of a request that a condition tests. */
const receivedBy = (name: keyof Condition, facts: Facts, wanted: unknown): unknown => {
  const { detail } = facts
  switch (name) {
    case 'type':
    case 'identifier':
    case 'actions':
    case 'locations':
    case 'datatypes':
    case 'privileges':
      return detail[name]
    case 'undocumented_actions':
      return detail.actions
    case 'sensitive':
      return [detail.type, ...(detail.identifier === undefined ? [] : [detail.identifier])]
    case 'agent':
      return [facts.agent, ...(facts.ancestors ?? [])]
    case 'task_type':
      return facts.taskType
    case 'on_behalf_of':
      return facts.onBehalfOf
    case 'ttl_over':
      return facts.requestedTtl
    case 'score_from':
      return facts.score
    case 'denials_from':
      return facts.denials
    case 'agent_denials_from':
      return facts.agentDenials
    case 'requests_last_minute_from':
      return facts.requestsLastMinute
    case 'justification_lacks':
      return facts.justification
    case 'time':
    case 'outside': {
      const { zone } = wanted as TimeWindow
      const { day, time } = localTimeIn(zone, facts.now)
      return `${days[day]} ${time} ${zone ?? 'UTC'}`
    }
  }
}

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/** The explanation for a terminal: the decision, then a paragraph for each rule. */
export const explanationText = ({ outcome, rules }: PolicyExplanation): string => {
  const { decision, rule, ...more } = outcome
  const members = Object.entries(more).map(([name, value]) => `${name} ${shown(value)}`)
  const width = String(rules.length).length
  const lines = rules.flatMap(({ name, at, state, conditions }, index) => [
    `${String(index + 1).padStart(width)} ${marks[state]} "${name}" ${state} (${placeOf(at)})`,
    ...(state === 'not reached' ? [] : conditions.map((it) => conditionText(it, width))),
  ])
  const last = rule === undecidedByPolicy.name ? [`${' '.repeat(width)} ✓ "${rule}"`] : []
  return inertText(
    `${decision} by "${rule}": ${members.join(', ')}\n\n${[...lines, ...last].join('\n')}\n`,
  )
}

const marks = { applies: '✓', 'does not apply': '✗', 'not reached': '-' } as const

const conditionText = ({ name, holds, wanted, received }: ExplainedCondition, width: number) =>
  `${' '.repeat(width + 3)}${holds ? '✓' : '✗'} ${name}: ${shown(wanted)}; the request has ${shown(received)}`

const shown = (value: unknown): string => {
  if (value === undefined) return 'none'
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`
  if (typeof value === 'object' && value !== null) return exampleText(value as never)
  return String(value)
}
