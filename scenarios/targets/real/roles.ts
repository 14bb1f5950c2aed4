import { TenantSeed } from '../../../server/wire/index.ts'
import type { Given } from '../../language/format.ts'
import type { Loaded } from '../../language/load.ts'
import { isObject } from '../../language/match.ts'
import type { Step } from '../../language/step-context.ts'
import { SkipScenario } from '../../language/target.ts'
import type { AgentAccess, PersonAccess } from './access.ts'

/** Maps each agent and user of a scenario to one of the target. */
export type Roles<
  A extends AgentAccess = AgentAccess,
  P extends PersonAccess = PersonAccess,
> = Readonly<{
  agents: readonly (A & Readonly<{ part: string }>)[]
  users: readonly (P & Readonly<{ part: string }>)[]
}>

/**
 * Assigns the target's agents and users to those of the scenario. Properties that the scenario
 * gives must equal those of the target.
 * @throws {SkipScenario} where none fits, or the target names no agents of this tenant
 */
export const assignRoles = <A extends AgentAccess, P extends PersonAccess>(
  given: Given,
  agents: readonly A[],
  users: readonly P[],
): Roles<A, P> => {
  if (agents.length === 0) {
    throw new SkipScenario('it needs another tenant, and the target has none (elsewhere: …)')
  }
  const unplayable = Object.keys(given).find((key) => !assignableWords.has(key))
  if (unplayable !== undefined)
    throw new SkipScenario(`cannot set the ${unplayable} of a real deployment`)
  if (given.clock !== undefined && given.clock !== 'system') {
    throw new SkipScenario('cannot set the clock of a real deployment')
  }
  const { agents: parts, users: people } = TenantSeed.parse({ ...given, documents: undefined })
  const free = [...agents]
  const cast = parts.map(({ name }, index) => {
    const { capabilities, may_delegate, name: _, ...more } = given.agents?.[index] ?? { name }
    const at = free.findIndex(
      (it) =>
        (capabilities === undefined || sameSet(capabilities, it.capabilities)) &&
        (may_delegate === undefined ? it.may_delegate !== false : may_delegate === it.may_delegate),
    )
    const [found] = at < 0 ? [] : free.splice(at, 1)
    if (found === undefined || Object.keys(more).length > 0) {
      throw new SkipScenario({
        reason: `the target has no agent like ${name}`,
        group: 'the target has no such agent (see agents in the target)',
      })
    }
    return { ...found, part: name }
  })
  const left = [...users]
  const known = people.flatMap(({ email, permissions, roles }) => {
    const decides = permissions.includes('jit.approve')
    const at = left.findIndex((it) => it.permissions.includes('jit.approve') === decides)
    const others = permissions.filter((it) => it !== 'jit.approve')
    const [found] = at < 0 || roles.length + others.length > 0 ? [] : left.splice(at, 1)
    return found === undefined ? [] : [{ ...found, part: email }]
  })
  return { agents: cast, users: known }
}

/** The part of `given` that the target can provide. */
const assignableWords = new Set(['agents', 'users', 'documents', 'approver', 'clock', 'name'])

/** The scenario with the target's names in place of its own. */
export const applyRoles = (
  scenario: Loaded,
  castIn: (scenario: Loaded) => readonly Roles[],
): Loaded => {
  try {
    const casts = castIn(scenario)
    const agents = casts.flatMap((it) => it.agents)
    const users = casts.flatMap((it) => it.users)
    return { ...scenario, steps: renameParts(scenario.steps, { agents, users }) }
  } catch (error) {
    if (error instanceof SkipScenario) return scenario
    throw error
  }
}

const renameParts = (steps: readonly Step[], cast: Roles): Step[] => {
  const names = new Map<string, string>([
    ...cast.agents.flatMap(({ part, name, agent_id }): [string, string][] => [
      [part, name],
      [`agent:${part}`, `agent:${name}`],
      [`agt_${part}`, agent_id],
    ]),
    ...cast.users.map(({ part, email }): [string, string] => [part, email]),
  ])
  const clients = new Map(cast.agents.map(({ part, client_id }) => [part, client_id]))
  const rename = (value: unknown, key?: string): unknown => {
    if (typeof value === 'string') {
      const whole = key === 'client_id' ? clients.get(value) : names.get(value)
      return whole ?? replaceNames(value, cast)
    }
    if (Array.isArray(value)) return value.map((it) => rename(it))
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, rename(it, key)]))
  }
  return steps.map((step) => rename(step) as Step)
}

const replaceNames = (text: string, { agents, users }: Roles): string => {
  const withAgents = agents.reduce((it, { part, name, client_id }) => {
    const there = part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    return it
      .replaceAll(
        new RegExp(`(\\bagent:|^\\$agents\\.|\\$\\{agents\\.)${there}(?![\\w-])`, 'g'),
        `$1${name}`,
      )
      .replaceAll(
        new RegExp(`(\\bclient_id=)${there}(?![\\w.-])`, 'g'),
        `$1${encodeURIComponent(client_id)}`,
      )
  }, text)
  return users.reduce((it, { part, email }) => it.replaceAll(part, email), withAgents)
}

/** A name in the steps that could not be replaced. */
export const findSpelledOutPart = (
  steps: readonly Step[],
  { agents, users }: Roles,
): string | undefined => {
  const parts = [
    ...agents.filter((it) => it.name !== it.part && it.part.length > 2).map((it) => it.part),
    ...users.map((it) => `user:${it.part.split('@', 1)[0]}`),
  ]
  const texts = steps.flatMap((step) => textsIn(step))
  return parts.find((part) => texts.some((text) => patternOfName(part).test(text)))
}

const patternOfName = (name: string) =>
  new RegExp(`(?<![\\w.@-])${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w@-])`)

const textsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, it]) => (key === 'note' ? [] : textsIn(it)))
}

const sameSet = (a: readonly string[], b: readonly string[] | undefined) =>
  b !== undefined && a.length === b.length && a.every((it) => b.includes(it))
