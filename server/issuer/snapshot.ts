import { canonical, type Policy } from '../wire/index.ts'
import { countKept, storedEvents } from './kept-bytes.ts'
import {
  emptyState,
  type Forgettable,
  noteUndecided,
  type RequestRecord,
  type State,
} from './state.ts'

/**
 * A state as JSON. Each Map is written as a list of pairs and each Set as a list, also within records;
 * `forgetting` is a list of `[minute, kind, id]`. Derived parts are omitted.
 */
export type Snapshot = { [Part in keyof State]?: unknown }

export const toSnapshot = (state: State): Snapshot => ({
  ...Object.fromEntries(
    Object.entries(state)
      .filter(([part]) => !derived.has(part))
      .map(([part, value]) => [part, toPlain(value)]),
  ),
  forgetting: [...state.forgetting].flatMap(([minute, things]) =>
    things.map((thing) => [minute, ...thing]),
  ),
})

/** @throws {TypeError} for an invalid snapshot */
export const fromSnapshot = (snapshot: Snapshot): State => {
  const empty = emptyState(snapshot.policy as Policy)
  const state = Object.fromEntries(
    Object.entries(empty).map(([part, value]) => [part, fromPlain(value, snapshot[part as Part])]),
  ) as State
  for (const records of [state.tasks, state.grants] as Map<string, HasTokens>[]) {
    for (const [id, record] of records) {
      records.set(id, { ...record, tokens: new Set(record.tokens) })
    }
  }
  for (const [agentId, ids] of state.openTasks) state.openTasks.set(agentId, new Set(ids))
  state.forgetting.clear()
  for (const [minute, ...thing] of (snapshot.forgetting ?? []) as [number, ...Forgettable][]) {
    const things = state.forgetting.get(minute)
    if (things) things.push(thing)
    else state.forgetting.set(minute, [thing])
  }
  derive(state)
  return state
}

const derived: ReadonlySet<string> = new Set<Part>(['undecidedOf', 'keptBytes', 'keptBytesBy'])

/** Restores the derived parts, and parts that an older snapshot does not have. */
const derive = (state: State): void => {
  for (const [id, record] of state.requests as Map<string, Partial<RequestRecord>>) {
    const { request } = record as RequestRecord
    state.requests.set(id, { ...(record as RequestRecord), canonical: canonical(request.detail) })
  }
  for (const id of state.undecided) {
    const request = state.requests.get(id)?.request
    if (request) noteUndecided(state, request)
  }
  for (const event of storedEvents(state)) countKept(state, event)
}

type Part = keyof State
type HasTokens = { readonly tokens: Iterable<string> }

const toPlain = (value: unknown): unknown => {
  if (value instanceof Map) return [...value].map(([key, it]) => [key, toPlain(it)])
  if (value instanceof Set) return [...value]
  const { tokens } = (value ?? {}) as Partial<HasTokens>
  return tokens instanceof Set ? { ...(value as HasTokens), tokens: [...tokens] } : value
}

/** A part that an older snapshot does not have is empty. */
const fromPlain = (empty: unknown, plain: unknown): unknown => {
  if (empty instanceof Map) return new Map(plain as [unknown, unknown][] | undefined)
  if (empty instanceof Set) return new Set(plain as unknown[] | undefined)
  return plain ?? empty
}
