import type { IssuerContext } from '../http/issuer/context.ts'
import type { Act, Seam } from '../http/misbehave.ts'
import type { TenantContext } from '../http/tenant-context.ts'
import type { Event } from '../issuer/event.ts'
import type { State } from '../issuer/state.ts'
import type { Tenant } from '../issuer/tenant.ts'

/** How the rules go wrong while one request is handled. They are the real rules, misled. */
export type Mistake = Readonly<{
  /** The state as they take it to be; what happens still happens to the real one. */
  state?: (state: State) => State
  /** What happens in place of what they decided. */
  events?: (events: readonly Event[]) => readonly Event[]
  /** Who seems to ask. */
  principal?: IssuerContext['principal']
}>

/** Lets the handler of the issuer work with rules that make a mistake. */
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

/** A tenancy whose tenant looks at another state, or lets other things happen. */
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

type Store = 'requests' | 'tasks' | 'agents' | 'clients' | 'approvals' | 'grants'
type Stored<S extends Store> = State[S] extends Map<string, infer Record> ? Record : never

/** The state with one record seen differently; the same state where there is none. */
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

/** The events with those of one type replaced, or taken away. */
export const replaceEvents =
  <T extends Event['type']>(
    type: T,
    change: (event: Extract<Event, { type: T }>) => readonly Event[],
  ) =>
  (events: readonly Event[]): readonly Event[] =>
    events.flatMap((event) =>
      event.type === type ? change(event as Extract<Event, { type: T }>) : [event],
    )
