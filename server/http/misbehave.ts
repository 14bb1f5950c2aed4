import { closest } from '../wire/closest.ts'
import type { RouteName, Seat, SwitchMisbehaviour } from '../wire/index.ts'
import type { BrokenRule } from '../wire/rule-ids.ts'
import type { Change, Inner, Routed, Step } from './core.ts'
import type { Answer } from './message.ts'
import type { TenantContext } from './tenant-context.ts'

/** Lets the defects that are on in the tenant act. */
export const misbehave =
  (tenants: () => Iterable<TenantContext>): Step<Routed> =>
  (routed, next) => {
    const { context } = routed
    if (context === undefined) return next(routed)
    const inner: Inner = ({ context: changeContext, ...changed } = {}) =>
      next({ ...routed, ...changed, changeContext })
    const others = () => [...tenants()].filter((it) => it !== context)
    return context.misbehaving.around(routed, inner, context, others)
  }

/** Where a misbehaviour acts: around one answer of one tenant, with everything in reach. */
export type Seam = Readonly<{
  routed: Routed<RouteName>
  /** The answer as it would have been, or what it would be to something else. */
  answer: Inner
  context: TenantContext
  /** The other tenants of this harness. */
  others: () => readonly TenantContext[]
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

/** Why a name cannot be switched on; undefined for one that can. */
export const describeUnknownMisbehaviour = (
  name: string,
  known: readonly Misbehaviour[],
): string | undefined => {
  const names = known.map((it) => it.name)
  if (names.includes(name)) return undefined
  const meant = closest(name, names)
  const hint =
    meant === undefined ? 'lumoauth-harness misbehaviours lists them' : `did you mean ${meant}?`
  return `there is no misbehaviour ${name}; ${hint}`
}

type Active = {
  readonly order: SwitchMisbehaviour
  readonly misbehaviour: Misbehaviour
  readonly act: Act
  left: number
  skip: number
}

/** Which misbehaviours are on in a tenant, and for how long. */
export class ActiveMisbehaviours {
  readonly #load: () => Promise<readonly Misbehaviour[]>
  #active: Active[] = []
  /** What is on from the beginning, as long as nobody has asked for the catalogue. */
  #beginning: readonly SwitchMisbehaviour[]

  /**
   * @param load fetches the catalogue when somebody first asks for it
   * @param beginning is on before the first exchange; who made it up has checked the names
   */
  constructor(
    load: () => Promise<readonly Misbehaviour[]>,
    beginning: readonly SwitchMisbehaviour[] = [],
  ) {
    this.#load = load
    this.#beginning = beginning
  }

  known(): Promise<readonly Misbehaviour[]> {
    return this.#load()
  }

  get active(): SwitchMisbehaviour[] {
    return [...this.#active.map(({ order }) => order), ...this.#beginning]
  }

  /** @returns false for a name nobody knows */
  async on(order: SwitchMisbehaviour): Promise<boolean> {
    const known = await this.#begun()
    if (describeUnknownMisbehaviour(order.name, known) !== undefined) return false
    this.#switchOn(order, known)
    return true
  }

  /** These and no others, from now on. */
  only(orders: readonly SwitchMisbehaviour[]): void {
    this.#active = []
    this.#beginning = orders
  }

  /** @throws {TypeError} for a name nobody knows */
  async #begun(): Promise<readonly Misbehaviour[]> {
    const known = await this.#load()
    for (const { name } of this.#beginning) {
      const why = describeUnknownMisbehaviour(name, known)
      if (why !== undefined) throw new TypeError(why)
    }
    const beginning = this.#beginning
    this.#beginning = []
    for (const order of beginning) this.#switchOn(order, known)
    return known
  }

  #switchOn(order: SwitchMisbehaviour, known: readonly Misbehaviour[]): void {
    const misbehaviour = known.find(({ name }) => name === order.name)
    if (misbehaviour === undefined) return
    this.#active.push({
      order,
      misbehaviour,
      act: 'act' in misbehaviour ? misbehaviour.act : misbehaviour.begin(),
      left: order.times ?? (order.nth === undefined ? Number.POSITIVE_INFINITY : 1),
      skip: (order.nth ?? 1) - 1,
    })
  }

  /** @param name absent: all of them */
  off(name?: string): void {
    const stays = (order: SwitchMisbehaviour) => name !== undefined && order.name !== name
    this.#active = this.#active.filter(({ order }) => stays(order))
    this.#beginning = this.#beginning.filter(stays)
  }

  /** The answer with every misbehaviour that is on for this exchange around it, the newest outermost. */
  around(
    routed: Routed<RouteName>,
    answer: Inner,
    context: TenantContext,
    others: () => readonly TenantContext[] = () => [],
  ): Promise<Answer> {
    if (this.#beginning.length > 0) {
      return this.#begun().then(() => this.around(routed, answer, context, others))
    }
    if (this.#active.length === 0) return answer()
    const acting = this.#active.filter((it) => appliesTo(it, routed)).filter((it) => it.skip-- <= 0)
    for (const it of acting) it.left -= 1
    this.#active = this.#active.filter(({ left }) => left > 0)
    return acting.reduce<Inner>(
      (inner, { act, order }) =>
        (change = {}) => {
          const { context: _, ...changed } = change
          return act({
            routed: { ...routed, ...changed },
            answer: (more = {}) => inner(combineChanges(change, more)),
            context,
            others,
            order,
          })
        },
      answer,
    )()
  }
}

const appliesTo = (
  { order, misbehaviour: { seat, routes } }: Active,
  { name, route }: Routed<RouteName>,
) =>
  (routes?.includes(name) ??
    (seat === 'network' ? route.seat !== 'control' : seat === route.seat)) &&
  (order.route === undefined || order.route === name) &&
  (order.seat === undefined || order.seat === route.seat)

/** What the outer one changed, and the inner one after it. */
const combineChanges = (outer: Change, inner: Change): Change => {
  const both = { ...outer, ...inner }
  const { context: first } = outer
  const { context: then } = inner
  if (first === undefined || then === undefined) return both
  return { ...both, context: (honest) => then(async () => first(honest)) }
}
