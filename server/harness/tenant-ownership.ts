import type { Forwarding } from '../http/forward.ts'
import type { TenantOwnership, Visit, Visitor } from '../http/own-tenant.ts'
import type { TenantContext } from '../http/tenant/tenant-context.ts'
import type { Kept, SharedStore } from '../journal/store.ts'
import type { Timers } from '../outbound/agenda.ts'
import { BoundedMap } from '../wire/bounded-map.ts'
import { Slug } from '../wire/index.ts'

export type OwnershipOptions = Readonly<{
  store: SharedStore
  forwarding: Forwarding
  timers: Timers
  find: (slug: string) => TenantContext | undefined
  /** The tenants in memory. */
  slugs: () => readonly string[]
  /** Opens a tenant that this process has just taken over. */
  open: (slug: string, kept: Kept) => unknown
  /** Removes a tenant from memory. Deletes nothing in the store. */
  drop: (slug: string) => void
}>

/** Milliseconds between two searches for tenants with due work. */
const sweepEvery = 1000

/**
 * Number of consecutive forwarded requests after which a tenant moves to the process that forwards
 * them.
 */
const enoughForwarded = 3

/** Milliseconds without a direct request after which a process gives a tenant away. */
const quiet = 1000

/** Use of a tenant at its owner. */
type Use = {
  /** Requests in progress. */
  visits: number
  /** `performance.now()` of the last direct request. */
  directAt: number
  /** The process that forwarded the last requests, and their number. */
  by: string
  forwarded: number
}

/**
 * Takes over a tenant with its first request, and gives it away when all its requests arrive at another
 * process.
 * @returns `stop`, which ends the searches for due work
 */
export const ownTenants = (
  options: OwnershipOptions,
): TenantOwnership & Readonly<{ stop: () => void }> => {
  const { store, forwarding, timers, find, slugs, open, drop } = options
  const uses = new Map<string, Use>()
  /** Tenants that are being taken over or given away. */
  const changing = new Map<string, Promise<Visit>>()
  const elsewhere = new BoundedMap<string, Visit>(10_000)

  store.onLost(() => {
    for (const slug of slugs()) drop(slug)
    uses.clear()
  })

  const changeOnce = (slug: string, change: () => Promise<Visit>): Promise<Visit> => {
    const changed = change().finally(() => changing.delete(slug))
    changing.set(slug, changed)
    return changed
  }

  const take = async (slug: string): Promise<Visit> => {
    const place = await store.take(slug)
    if (place.at !== 'here') return place
    open(slug, place.kept)
    return { at: 'elsewhere' }
  }

  const enter = (slug: string, context: TenantContext, { by, isInternal }: Visitor): Visit => {
    const use = uses.get(slug) ?? { visits: 0, directAt: performance.now(), by: '', forwarded: 0 }
    uses.set(slug, use)
    use.visits += 1
    if (by === undefined && !isInternal) {
      use.directAt = performance.now()
      use.forwarded = 0
    } else if (by !== undefined) {
      use.forwarded = use.by === by ? use.forwarded + 1 : 1
      use.by = by
    }
    return {
      at: 'here',
      durable: async () => {
        try {
          await context.durable()
        } catch (failed) {
          if (find(slug) === context) drop(slug)
          throw failed
        }
      },
      leave: () => {
        use.visits -= 1
        if (mayGo(use, context)) giveAway(slug)
      },
    }
  }

  const mayGo = (
    { visits, forwarded, directAt }: Use,
    { agenda, polling, watching }: TenantContext,
  ) =>
    visits === 0 &&
    forwarded >= enoughForwarded &&
    performance.now() - directAt >= quiet &&
    agenda.idle &&
    polling.count + watching.count === 0

  const giveAway = (slug: string) => {
    uses.delete(slug)
    drop(slug)
    changeOnce(slug, async () => {
      await store.release(slug)
      return { at: 'nowhere' }
    }).catch(() => {})
  }

  const visit = async (slug: string, visitor: Visitor): Promise<Visit> => {
    // An invalid name needs no query of the database.
    if (!Slug.safeParse(slug).success) return { at: 'nowhere' }
    for (;;) {
      const context = find(slug)
      if (context) {
        try {
          await store.live()
        } catch {
          // It was removed: look it up again.
        }
        if (find(slug) === context) return enter(slug, context, visitor)
        continue
      }
      const change = changing.get(slug)
      if (change) {
        const changed = await change
        if (changed.at === 'elsewhere' && find(slug) === undefined) return changed
        continue
      }
      const known = elsewhere.get(slug)
      if (known && !visitor.afresh) return known
      // The forwarding process takes over the tenant.
      if (visitor.by !== undefined) return { at: 'elsewhere' }
      const taken = await changeOnce(slug, () => take(slug))
      if (find(slug) !== undefined) {
        elsewhere.delete(slug)
        continue
      }
      if (taken.at === 'elsewhere') elsewhere.set(slug, taken)
      return taken
    }
  }

  let timer: unknown
  let stopped = false
  const sweep = async () => {
    try {
      for (const slug of await store.overdue()) {
        if (stopped) return
        const found = await visit(slug, { isInternal: true, afresh: true })
        if (found.at === 'here') found.leave()
      }
    } catch {
      // The store is not available; the next search may find it.
    }
    if (!stopped) timer = timers.set(sweep, sweepEvery)
  }
  timer = timers.set(sweep, sweepEvery)

  return {
    visit,
    ownerOf: async (slug) => {
      // Whether the answer is still the same or not, the next request asks the store.
      elsewhere.delete(slug)
      return store.ownerOf(slug)
    },
    durable: () => store.durable(),
    forwarding,
    stop: () => {
      stopped = true
      timers.clear(timer)
    },
  }
}
