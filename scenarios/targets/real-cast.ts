import { TenantSeed } from '../../server/wire/index.ts'
import type { Given } from '../runner/format.ts'
import { isObject } from '../runner/match.ts'
import type { Step } from '../runner/scene.ts'
import type { AgentAccess, PersonAccess } from './real-access.ts'
import { Unable } from './target.ts'

/** Who plays whom: what a scenario takes as given, by what there is. */
export type Cast<A extends AgentAccess = AgentAccess> = Readonly<{
  /** In the order of the scenario, under the names it knows them by. */
  agents: readonly (A & Readonly<{ played: string }>)[]
  users: readonly (PersonAccess & Readonly<{ playing: string }>)[]
}>

/**
 * Finds somebody for each part. A part is played only by who fits: what the scenario says of an agent
 * must be what the target says of it.
 * @throws {Unable} where nobody does
 */
export const castOf = <A extends AgentAccess>(
  given: Given,
  agents: readonly A[],
  users: readonly PersonAccess[],
): Cast<A> => {
  for (const part of unplayable) {
    if (given[part] !== undefined) throw new Unable(`the target’s ${part} is not ours to set`)
  }
  const seed = TenantSeed.parse({ ...given, documents: undefined })
  const free = [...agents]
  const playing = seed.agents.map((part, index) => {
    const asked = given.agents?.[index]
    const at = free.findIndex(
      (it) =>
        (asked?.capabilities === undefined || sameSet(asked.capabilities, it.capabilities)) &&
        (asked?.may_delegate === undefined || asked.may_delegate === it.may_delegate),
    )
    const [found] = at < 0 ? [] : free.splice(at, 1)
    if (found === undefined || asked?.budget !== undefined || asked?.jwks !== undefined) {
      throw new Unable(`nobody plays the agent ${part.name}: the target names no such agent`)
    }
    return { ...found, name: part.name, played: found.name }
  })
  const left = [...users]
  const people = seed.users.flatMap((part) => {
    const decides = part.permissions.includes('jit.approve')
    const at = left.findIndex((it) => it.permissions.includes('jit.approve') === decides)
    const [found] = at < 0 || part.roles.length > 0 ? [] : left.splice(at, 1)
    return found === undefined ? [] : [{ ...found, playing: part.email }]
  })
  return { agents: playing, users: people }
}

/** What of a tenant nobody outside of it can set. */
const unplayable = [
  'policy',
  'dialect',
  'rate_limits',
  'mcp_servers',
  'workload',
  'applications',
  'api_keys',
  'model',
] as const

/** A name that the steps spell out, though somebody of another name plays the part. */
export const spelledOut = (steps: readonly Step[], { agents, users }: Cast): string | undefined => {
  const others = [
    ...agents.filter((it) => it.name !== it.played).map((it) => it.name),
    ...users.filter((it) => it.email !== it.playing).map((it) => it.playing),
  ]
  const texts = steps.flatMap((step) => textsIn(step))
  return others.find((name) => texts.some((text) => standsIn(name).test(text)))
}

const standsIn = (name: string) =>
  new RegExp(`(?<![\\w.@-])${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w@-])`)

/** Every text of a step but those that only name who acts. */
const textsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, it]) =>
    key === 'as' || key === 'note' || (key === 'user' && typeof it === 'string') ? [] : textsIn(it),
  )
}

const sameSet = (a: readonly string[], b: readonly string[] | undefined) =>
  b !== undefined && a.length === b.length && a.every((it) => b.includes(it))
