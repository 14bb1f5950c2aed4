import type { Entry } from '../../../server/issuer/event.ts'
import { type DecidedRequest, History } from '../../../server/issuer/history.ts'
import { fromSnapshot, type Snapshot, toSnapshot } from '../../../server/issuer/snapshot.ts'
import { Clock, Tenant } from '../../../server/issuer/tenant.ts'

/** Compacts a journal, as JSON, and returns the tenant replayed from it. */
export const compacted = (entries: readonly Entry[], newest = 0) => {
  const decided: DecidedRequest[] = []
  const before = new History((request) => decided.push(request), newest)
  for (const entry of entries) before.add(entry)
  before.compact()
  const text = JSON.stringify([toSnapshot(before.state), before.entries])
  const [snapshot, kept] = JSON.parse(text) as [Snapshot, Entry[]]
  const history = new History(undefined, newest)
  history.state = fromSnapshot(snapshot)
  history.seq = before.seq
  history.clockMoved = before.clockMoved
  for (const entry of kept) history.add(entry)
  history.finish()
  const tenant = new Tenant('acme', new Clock(undefined, 0), (prefix) => prefix)
  tenant.restore(history)
  return { tenant, state: tenant.state, kept, decided, bytes: text.length }
}
