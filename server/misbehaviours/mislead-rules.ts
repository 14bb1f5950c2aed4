import type { IssuerContext } from '../http/issuer/context.ts'
import type { Act, Seam } from '../http/misbehave.ts'
import type { TenantContext } from '../http/tenant/tenant-context.ts'
import type { Event } from '../issuer/event.ts'
import type { State } from '../issuer/state.ts'
import type { Tenant } from '../issuer/tenant.ts'

/** How the issuer's rules are misled while one request is handled. */
export type Mistake = Readonly<{
  /** The state the rules read. Their events apply to the real state. */
  state?: (state: State) => State
  /** Replaces the events the rules decided. */
  events?: (events: readonly Event[]) => readonly Event[]
  /** Replaces the caller. */
  principal?: IssuerContext['principal']
}>

/** Runs a handler of the issuer with misled rules. */
export const misleadRules =
  (mistake: (context: IssuerContext, seam: Seam) => Mistake): Act =>
  (seam) =>
    seam.answer({
      context: async (honest) => {
        const context = (await honest()) as IssuerContext
        const made = mistake(context, seam)
        const { principal = context.principal } = made
        return { ...context, principal, context: withMistake(context.context, made) }
      },
    })

/** A tenant context with a changed state or changed events. */
export const withMistake = (context: TenantContext, { state, events }: Mistake): TenantContext => {
  const { tenant } = context
  const seen = () => state?.(tenant.state) ?? tenant.state
  const run: Tenant['run'] = (decide, command) =>
    tenant.run((_state, order, handlerContext) => {
      const decided = decide(seen(), order, handlerContext)
      return (events?.(decided) ?? decided) as typeof decided
    }, command)
  const wrong: Tenant = Object.create(tenant, {
    state: { get: seen },
    run: { value: run },
    happen: { value: tenant.happen.bind(tenant) },
  })
  return { ...context, tenant: wrong }
}

type Store =
  | 'requests'
  | 'tasks'
  | 'agents'
  | 'clients'
  | 'approvals'
  | 'grants'
  | 'pushed'
  | 'devices'
type Stored<S extends Store> = State[S] extends Map<string, infer Record> ? Record : never

/** The state with one record changed; the same state where the record does not exist. */
export const withRecord = <S extends Store>(
  state: State,
  store: S,
  id: string | undefined,
  change: (record: Stored<S>) => Stored<S>,
): State => {
  const records = state[store] as Map<string, Stored<S>>
  const record = records.get(id ?? '')
  if (record === undefined || id === undefined) return state
  return { ...state, [store]: new Map(records).set(id, change(record)) }
}

/** The events with those of one type replaced or removed. */
export const replaceEvents =
  <T extends Event['type']>(
    type: T,
    change: (event: Extract<Event, { type: T }>) => readonly Event[],
  ) =>
  (events: readonly Event[]): readonly Event[] =>
    events.flatMap((event) =>
      event.type === type ? change(event as Extract<Event, { type: T }>) : [event],
    )
