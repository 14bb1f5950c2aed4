import type { Forwarding } from '../http/forward.ts'
import type { TenantOwnership, Visit, Visitor } from '../http/own-tenant.ts'
import type { TenantContext } from '../http/tenant-context.ts'
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
  /** Opens a tenant that this process has just taken. */
  open: (slug: string, kept: Kept) => unknown
  /** Lets a tenant go from memory; nothing of it is deleted. */
  drop: (slug: string) => void
}>

/** Milliseconds between two looks for tenants in which something is due. */
const sweepEvery = 1000

/** Forwarded requests in a row after which a tenant is given to the process that forwards them. */
const enoughForwarded = 3

/** Milliseconds without a request of its own after which a process gives a tenant away. */
const quiet = 1000

/** How a tenant is used at its owner. */
type Use = {
  /** Requests under way. */
  visits: number
  /** `performance.now()` of the last request that came here by itself. */
  directAt: number
  /** Which process has forwarded how many since. */
  by: string
  forwarded: number
}

/**
 * Takes a tenant with its first request, and gives it away when another process gets all its requests.
 * @returns `stop`, which ends the looks for what is due
 */
export const ownTenants = (
  options: OwnershipOptions,
): TenantOwnership & Readonly<{ stop: () => void }> => {
  const { store, forwarding, timers, find, slugs, open, drop } = options
  const uses = new Map<string, Use>()
  /** Tenants that are being taken or given away. */
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
    // No database is asked for what can be no name.
    if (!Slug.safeParse(slug).success) return { at: 'nowhere' }
    for (;;) {
      const context = find(slug)
      if (context) {
        try {
          await store.live()
        } catch {
          // It was dropped: look again.
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
      // Whichever process has forwarded the request takes the tenant.
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
      // The store is away; the next look may find it.
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
      forwarding.close()
    },
  }
}
