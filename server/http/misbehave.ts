import type { RouteName, Seat, SwitchMisbehaviour } from '../wire/index.ts'
import type { Routed } from './core.ts'
import type { Answer } from './message.ts'
import type { Tenancy } from './tenancy.ts'

/** A named defect of a seat, at the one seam around every answer. */
export type Misbehaviour = Readonly<{
  name: string
  seat: Exclude<Seat, 'control'> | 'network'
  /** One sentence: what goes wrong. */
  says: string
  /** The rule it breaks. */
  breaks: string
  /** Only these routes; absent: all of its seat. */
  routes?: readonly RouteName[]
  act: (
    routed: Routed<RouteName>,
    answer: () => Promise<Answer>,
    tenancy: Tenancy,
  ) => Promise<Answer>
}>

type Active = { readonly order: SwitchMisbehaviour; left: number; skip: number }

/** Which misbehaviours are on in a tenant, and for how long. */
export class Misbehaving {
  readonly #known: ReadonlyMap<string, Misbehaviour>
  #active: Active[] = []

  constructor(known: ReadonlyMap<string, Misbehaviour>) {
    this.#known = known
  }

  get known(): Misbehaviour[] {
    return [...this.#known.values()]
  }

  get active(): SwitchMisbehaviour[] {
    return this.#active.map(({ order }) => order)
  }

  /** @returns false for a name nobody knows */
  on(order: SwitchMisbehaviour): boolean {
    if (!this.#known.has(order.name)) return false
    const left = order.times ?? (order.nth === undefined ? Number.POSITIVE_INFINITY : 1)
    this.#active.push({ order, left, skip: (order.nth ?? 1) - 1 })
    return true
  }

  /** Switches one off, or all. */
  off(name?: string): void {
    this.#active = this.#active.filter(({ order }) => name !== undefined && order.name !== name)
  }

  /** The answer with every misbehaviour that is on for this exchange wrapped around it. */
  around(
    routed: Routed<RouteName>,
    answer: () => Promise<Answer>,
    tenancy: Tenancy,
  ): Promise<Answer> {
    if (this.#active.length === 0) return answer()
    const due = this.#active.filter(({ order }) =>
      concerns(this.#known.get(order.name), order, routed),
    )
    const acting = due.filter((it) => it.skip-- <= 0)
    for (const it of acting) it.left -= 1
    this.#active = this.#active.filter(({ left }) => left > 0)
    return acting.reduce<() => Promise<Answer>>((inner, { order }) => {
      const misbehaviour = this.#known.get(order.name) as Misbehaviour
      return () => misbehaviour.act(routed, inner, tenancy)
    }, answer)()
  }
}

const concerns = (
  misbehaviour: Misbehaviour | undefined,
  order: SwitchMisbehaviour,
  { name, route }: Routed<RouteName>,
) =>
  misbehaviour !== undefined &&
  (misbehaviour.seat === 'network' || misbehaviour.seat === route.seat) &&
  (misbehaviour.routes === undefined || misbehaviour.routes.includes(name)) &&
  (order.route === undefined || order.route === name)
