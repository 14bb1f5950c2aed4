import type { RouteName, Seat, SwitchMisbehaviour } from '../wire/index.ts'
import type { BrokenRule } from './broken-rules.ts'
import type { Change, Inner, Routed } from './core.ts'
import type { Answer } from './message.ts'
import type { Tenancy } from './tenancy.ts'

/** Where a misbehaviour acts: around one answer of one tenant, with everything in reach. */
export type Seam = Readonly<{
  routed: Routed<RouteName>
  /** The answer as it would have been, or what it would be to something else. */
  answer: Inner
  tenancy: Tenancy
  /** The other tenants of this harness. */
  others: () => readonly Tenancy[]
  /** How it was switched on. */
  order: SwitchMisbehaviour
}>

export type Act = (seam: Seam) => Promise<Answer>

/** What goes wrong, and how. */
type Defect = Readonly<{
  /** One sentence: what goes wrong. */
  says: string
  breaks: BrokenRule
  /** Only these routes, questions of the control plane among them; absent: all of its seat. */
  routes?: readonly RouteName[]
}> &
  (
    | Readonly<{ act: Act }>
    /** For one that remembers: anew each time it is switched on. */
    | Readonly<{ begin: () => Act }>
  )

/** A named defect of a seat, or of the network before both. */
export type Misbehaviour = Defect &
  Readonly<{ name: string; seat: Exclude<Seat, 'control'> | 'network' }>

/** The defects of one seat, by name. */
export const misbehavioursOf = (
  seat: Misbehaviour['seat'],
  defects: Readonly<Record<string, Defect>>,
): Misbehaviour[] => Object.entries(defects).map(([name, defect]) => ({ ...defect, name, seat }))

type Active = {
  readonly order: SwitchMisbehaviour
  readonly misbehaviour: Misbehaviour
  readonly act: Act
  left: number
  skip: number
}

/** Which misbehaviours are on in a tenant, and for how long. */
export class Misbehaving {
  readonly #load: () => Promise<readonly Misbehaviour[]>
  #active: Active[] = []

  /** @param load fetches the catalogue when somebody first asks for it */
  constructor(load: () => Promise<readonly Misbehaviour[]>) {
    this.#load = load
  }

  known(): Promise<readonly Misbehaviour[]> {
    return this.#load()
  }

  get active(): SwitchMisbehaviour[] {
    return this.#active.map(({ order }) => order)
  }

  /** @returns false for a name nobody knows */
  async on(order: SwitchMisbehaviour): Promise<boolean> {
    const misbehaviour = (await this.#load()).find(({ name }) => name === order.name)
    if (misbehaviour === undefined) return false
    this.#active.push({
      order,
      misbehaviour,
      act: 'act' in misbehaviour ? misbehaviour.act : misbehaviour.begin(),
      left: order.times ?? (order.nth === undefined ? Number.POSITIVE_INFINITY : 1),
      skip: (order.nth ?? 1) - 1,
    })
    return true
  }

  /** @param name absent: all of them */
  off(name?: string): void {
    this.#active = this.#active.filter(({ order }) => name !== undefined && order.name !== name)
  }

  /** The answer with every misbehaviour that is on for this exchange around it, the newest outermost. */
  around(
    routed: Routed<RouteName>,
    answer: Inner,
    tenancy: Tenancy,
    others: () => readonly Tenancy[] = () => [],
  ): Promise<Answer> {
    if (this.#active.length === 0) return answer()
    const acting = this.#active.filter((it) => concerns(it, routed)).filter((it) => it.skip-- <= 0)
    for (const it of acting) it.left -= 1
    this.#active = this.#active.filter(({ left }) => left > 0)
    return acting.reduce<Inner>(
      (inner, { act, order }) =>
        (change = {}) => {
          const { context: _, ...changed } = change
          return act({
            routed: { ...routed, ...changed },
            answer: (more = {}) => inner(joined(change, more)),
            tenancy,
            others,
            order,
          })
        },
      answer,
    )()
  }
}

const concerns = (
  { order, misbehaviour: { seat, routes } }: Active,
  { name, route }: Routed<RouteName>,
) =>
  (routes?.includes(name) ??
    (seat === 'network' ? route.seat !== 'control' : seat === route.seat)) &&
  (order.route === undefined || order.route === name) &&
  (order.seat === undefined || order.seat === route.seat)

/** What the outer one changed, and the inner one after it. */
const joined = (outer: Change, inner: Change): Change => {
  const both = { ...outer, ...inner }
  const { context: first } = outer
  const { context: then } = inner
  if (first === undefined || then === undefined) return both
  return { ...both, context: (honest) => then(async () => first(honest)) }
}
