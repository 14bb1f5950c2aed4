import type { RouteName, Seat, SwitchMisbehaviour } from '../wire/index.ts'
import type { BrokenRule } from '../wire/rule-ids.ts'
import type { Change, Inner, Routed, Step } from './core.ts'
import type { Answer } from './message.ts'
import type { Active } from './tenant/active-misbehaviours.ts'
import type { TenantContext } from './tenant/tenant-context.ts'

/** Applies the misbehaviours that are on in the tenant, the newest outermost. */
export const misbehave =
  (tenants: () => Iterable<TenantContext>): Step<Routed> =>
  async (routed, next) => {
    const { context } = routed
    if (context === undefined) return next(routed)
    const taken = context.misbehaving.take((it) => appliesTo(it, routed))
    const acting = Array.isArray(taken) ? taken : await taken
    if (acting.length === 0) return next(routed)
    const honest: Inner = ({ context: changeContext, ...changed } = {}) =>
      next({ ...routed, ...changed, changeContext })
    const others = () => [...tenants()].filter((it) => it.tenant !== context.tenant)
    return acting.reduce<Inner>(
      (inner, { act, order }) =>
        (change = {}) => {
          const { context: _, ...changed } = change
          return (act as Act)({
            routed: { ...routed, ...changed },
            answer: (more = {}) => inner(combineChanges(change, more)),
            context,
            others,
            order,
          })
        },
      honest,
    )()
  }

/** What a misbehaviour can use: one answer of one tenant, and the steps around it. */
export type Seam = Readonly<{
  routed: Routed<RouteName>
  /** Runs the handler. May be called more than once, with overrides. */
  answer: Inner
  context: TenantContext
  /** The other tenants of this harness. */
  others: () => readonly TenantContext[]
  /** The options with which it was switched on. */
  order: SwitchMisbehaviour
}>

export type Act = (seam: Seam) => Promise<Answer>

/** What a misbehaviour does, and how. */
type Defect = Readonly<{
  /** One sentence: what the misbehaviour does. */
  says: string
  breaks: BrokenRule
  /** Only these routes, which may belong to the control plane. Absent: all routes of its seat. */
  routes?: readonly RouteName[]
}> &
  (
    | Readonly<{ act: Act }>
    /** For a misbehaviour with state: called each time it is switched on. */
    | Readonly<{ begin: () => Act }>
  )

/** A named defect of a seat, or of the network in front of both. */
export type Misbehaviour = Defect &
  Readonly<{ name: string; seat: Exclude<Seat, 'control'> | 'network' }>

/** The misbehaviours of one seat, by name. */
export const misbehavioursOf = <const N extends string>(
  seat: Misbehaviour['seat'],
  defects: Readonly<Record<N, Defect>>,
): (Misbehaviour & Readonly<{ name: N }>)[] =>
  Object.entries<Defect>(defects).map(([name, defect]) => ({ ...defect, name: name as N, seat }))

const appliesTo = (
  { order, misbehaviour: { seat, routes } }: Active,
  { name, route }: Routed<RouteName>,
) =>
  (routes?.includes(name) ??
    (seat === 'network' ? route.seat !== 'control' : seat === route.seat)) &&
  (order.route === undefined || order.route === name) &&
  (order.seat === undefined || order.seat === route.seat)

/** Merges the changes of an outer misbehaviour with those of an inner one. */
const combineChanges = (outer: Change, inner: Change): Change => {
  const both = { ...outer, ...inner }
  const { context: first } = outer
  const { context: then } = inner
  if (first === undefined || then === undefined) return both
  return { ...both, context: (honest) => then(async () => first(honest)) }
}
