import { didYouMean } from '../../wire/closest.ts'
import type { Misbehaviours, RouteName, SwitchMisbehaviour } from '../../wire/index.ts'
import type { Answer } from '../message.ts'

/** A misbehaviour as the catalogue lists it. */
type Listed = Omit<Misbehaviours['known'][number], 'routes'> &
  Readonly<{ routes?: readonly RouteName[] }>

/** Applies a misbehaviour around one answer. `Seam` in `misbehave.ts` describes its input. */
type AnyAct = (seam: never) => Promise<Answer>

/** A misbehaviour that can be switched on. */
export type Switchable = Readonly<Listed> &
  (Readonly<{ act: AnyAct }> | Readonly<{ begin: () => AnyAct }>)

/** A misbehaviour as the control plane shows it. */
export const describeMisbehaviour = ({
  name,
  seat,
  says,
  breaks,
  routes,
}: Switchable): Misbehaviours['known'][number] => ({
  name,
  seat,
  says,
  breaks,
  ...(routes === undefined ? {} : { routes: [...routes] }),
})

/** Why a name cannot be switched on; undefined when it can. */
export const describeUnknownMisbehaviour = (
  name: string,
  known: readonly Pick<Switchable, 'name'>[],
): string | undefined => {
  const names = known.map((it) => it.name)
  if (names.includes(name)) return undefined
  const hint = didYouMean(name, names) || '; lumoauth-harness misbehaviours lists them'
  return `unknown misbehaviour: ${name}${hint.replaceAll('"', '')}`
}

/** A misbehaviour that is on. `skip`: exchanges before it acts; `left`: exchanges in which it then acts. */
export type Active = {
  readonly order: SwitchMisbehaviour
  readonly misbehaviour: Switchable
  readonly act: AnyAct
  left: number
  skip: number
}

/** The misbehaviours that are on in a tenant, and for how long. */
export class ActiveMisbehaviours {
  readonly #load: () => Promise<readonly Switchable[]>
  #active: Active[] = []
  /** The initial misbehaviours, until the catalogue is loaded. */
  #beginning: readonly SwitchMisbehaviour[]

  /**
   * @param load loads the catalogue on first use
   * @param beginning misbehaviours that are on before the first exchange; their names are already
   * checked
   */
  constructor(
    load: () => Promise<readonly Switchable[]>,
    beginning: readonly SwitchMisbehaviour[] = [],
  ) {
    this.#load = load
    this.#beginning = beginning
  }

  known(): Promise<readonly Switchable[]> {
    return this.#load()
  }

  get active(): SwitchMisbehaviour[] {
    return [...this.#active.map(({ order }) => order), ...this.#beginning]
  }

  /** @returns why it cannot be switched on; undefined when it is on now */
  async on(order: SwitchMisbehaviour): Promise<string | undefined> {
    const known = await this.#begun()
    const why = describeUnknownMisbehaviour(order.name, known)
    if (why === undefined) this.#switchOn(order, known)
    return why
  }

  /** Switches on exactly these misbehaviours. */
  only(orders: readonly SwitchMisbehaviour[]): void {
    this.#active = []
    this.#beginning = orders
  }

  /** @param name default: all */
  off(name?: string): void {
    const stays = (order: SwitchMisbehaviour) => name !== undefined && order.name !== name
    this.#active = this.#active.filter(({ order }) => stays(order))
    this.#beginning = this.#beginning.filter(stays)
  }

  /**
   * The misbehaviours that act on this exchange, the newest last. Counts the exchange. Returns a
   * promise only while the catalogue must be loaded.
   */
  take(applies: (active: Active) => boolean): readonly Active[] | Promise<readonly Active[]> {
    if (this.#beginning.length > 0) return this.#begun().then(() => this.take(applies))
    if (this.#active.length === 0) return []
    const acting = this.#active.filter(applies).filter((it) => it.skip-- <= 0)
    for (const it of acting) it.left -= 1
    this.#active = this.#active.filter(({ left }) => left > 0)
    return acting
  }

  /** @throws {TypeError} for an unknown name */
  async #begun(): Promise<readonly Switchable[]> {
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

  #switchOn(order: SwitchMisbehaviour, known: readonly Switchable[]): void {
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
}
