import {
  type Condition,
  documentedActions,
  type Policy,
  type PolicyRule,
  RequestFacts,
} from '../../server/wire/index.ts'
import {
  type Conjunction,
  findRequest,
  fullSet,
  type Literal,
  type Point,
  setOf,
} from './constraints.ts'
import { fieldsOf, type ListName, lists, type TextName, type UniverseField } from './fields.ts'

/** An example request, in the form of policy tests. */
export type Example = (typeof RequestFacts)['_zod']['input']

/** The result of a search: an example; `none` exists; or `unknown` when the search did not finish. */
export type Found = Example | 'none' | 'unknown'

/** All requests that the conditions of the policies distinguish. */
export class Universe {
  readonly #fields: ReadonlyMap<string, UniverseField>
  readonly #order: readonly UniverseField[]
  readonly #index: ReadonlyMap<string, number>
  /** Whether all classes are listed. Otherwise `none` cannot be proved. */
  readonly #isComplete: boolean

  constructor(policies: readonly Policy[]) {
    this.#order = fieldsOf(policies)
    this.#fields = new Map(this.#order.map((it) => [it.name, it]))
    this.#index = new Map(this.#order.map((it, at) => [it.name, at]))
    this.#isComplete = this.#order.every(({ isComplete }) => isComplete)
  }

  /** The ways in which a rule applies: it applies when one of these conjunctions holds. */
  waysOf(
    rule: PolicyRule,
    policy: Policy,
    conditions = Object.keys(rule.when) as (keyof Condition)[],
  ): Conjunction[] {
    let ways: Conjunction[] = [[]]
    for (const name of conditions) {
      if (rule.when[name] === undefined) continue
      const more = this.#waysOf(name, rule, policy)
      ways = ways.flatMap((way) => more.map((it) => [...way, ...it]))
    }
    return ways
  }

  /** A request for which one of the conjunctions `ways` holds, and none of `none` does. */
  find(ways: readonly Conjunction[], none: readonly Conjunction[]): Found {
    let isSure = this.#isComplete
    for (const way of ways) {
      const answer = findRequest(this.#order, way, none)
      if (answer === 'unknown') isSure = false
      else if (answer !== 'none') return this.#exampleAt(answer)
    }
    return isSure ? 'none' : 'unknown'
  }

  /** The literal that a list has a member which `accepts` accepts. */
  hasMember(list: ListName, accepts: (value: string) => boolean): Literal {
    const { size, values } = this.#field(list)
    const set = setOf(size, (at) => accepts(String(values[at])))
    return { field: this.#indexOf(list), mode: 'any', set }
  }

  /** Whether a request can have a text that a pattern of a condition matches. */
  canMatch(name: TextName, pattern: string): boolean {
    const { matching, isComplete } = this.#field(name)
    return !isComplete || matching?.(pattern) !== 0n
  }

  #field(name: string): UniverseField {
    return this.#fields.get(name) as UniverseField
  }

  #indexOf(name: string): number {
    return this.#index.get(name) as number
  }

  /** The ways in which one condition holds. */
  #waysOf(name: keyof Condition, rule: PolicyRule, policy: Policy): Conjunction[] {
    const { when, decision } = rule
    switch (name) {
      case 'sensitive': {
        const type = this.#texts('type', policy.sensitive.types ?? [], decision)
        const identifier = this.#texts('identifier', policy.sensitive.identifiers ?? [], decision)
        return when.sensitive ? [[type], [identifier]] : [[this.#not(type), this.#not(identifier)]]
      }
      case 'undocumented_actions': {
        const scope = this.#texts('type', ['scope'], decision)
        const other = this.hasMember('actions', (it) => !documentedActions.has(it))
        return when.undocumented_actions
          ? [[this.#not(scope), other]]
          : [[scope], [{ ...other, mode: 'none' }]]
      }
      case 'on_behalf_of':
        return typeof when.on_behalf_of === 'boolean'
          ? [[this.#values(name, name, when.on_behalf_of)]]
          : [[this.#texts(name, when.on_behalf_of ?? [], decision)]]
      case 'type':
      case 'identifier':
      case 'actions':
      case 'locations':
      case 'datatypes':
      case 'privileges':
      case 'agent':
      case 'task_type':
        return [[this.#texts(name, when[name] ?? [], decision)]]
      default:
        return [[this.#values(fieldNames[name], name, when[name])]]
    }
  }

  #texts(name: TextName, patterns: readonly string[], decision: PolicyRule['decision']): Literal {
    const { kind, matching } = this.#field(name)
    return {
      field: this.#indexOf(name),
      mode: kind === 'one' ? 'one' : decision === 'approve' ? 'every' : 'any',
      set: patterns.reduce((set, it) => set | (matching?.(it) ?? 0n), 0n),
    }
  }

  #values(field: string, name: keyof Condition, wanted: unknown): Literal {
    const { size, holds } = this.#field(field)
    return {
      field: this.#indexOf(field),
      mode: 'one',
      set: setOf(size, (at) => holds(name, wanted, at)),
    }
  }

  /** The negation of a literal on a field that is not a list. */
  #not({ field, mode, set }: Literal): Literal {
    return { field, mode, set: fullSet(this.#order[field]?.size ?? 0) & ~set }
  }

  #exampleAt(point: Point): Example {
    const all = (name: string) =>
      (point[this.#indexOf(name)] ?? []).map((it) => this.#field(name).values[it])
    const one = <T>(name: string) => all(name)[0] as T
    const optional = (name: string, absent: unknown = undefined) => {
      const value = one(name)
      return value === absent || value === '' || value === undefined ? {} : { [name]: value }
    }
    const [agent, ...ancestors] = all('agent') as string[]
    return {
      authorization_details: {
        type: one<string>('type'),
        ...Object.fromEntries(
          lists.flatMap((name) => (all(name).length === 0 ? [] : [[name, all(name)]])),
        ),
        ...optional('identifier'),
      },
      ...(agent === usualAgent ? {} : { agent }),
      ...(ancestors.length === 0 ? {} : { ancestors }),
      ...optional('task_type'),
      ...optional('on_behalf_of'),
      ...optional('requested_ttl', 0),
      ...optional('justification'),
      ...optional('score', 0),
      ...optional('denials', 0),
      ...optional('agent_denials', 0),
      ...optional('requests_last_minute', 0),
      ...optional('at', usualTime),
    }
  }
}

const { agent: usualAgent, at: usualTime } = RequestFacts.parse({
  authorization_details: { type: 'x' },
})

/** The fields of conditions with another name. */
const fieldNames = {
  ttl_over: 'requested_ttl',
  score_from: 'score',
  denials_from: 'denials',
  agent_denials_from: 'agent_denials',
  requests_last_minute_from: 'requests_last_minute',
  justification_lacks: 'justification',
  time: 'at',
  outside: 'at',
} as const
