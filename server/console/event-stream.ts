import { randomBytes } from 'node:crypto'
import type { Journal } from '../issuer/journal.ts'
import type { News, Pulse } from '../wire/index.ts'
import { toJournalEntry } from './views.ts'

export type Watched = Readonly<{
  journal: Journal
  /** The `Last-Event-ID` that an `EventSource` sends after a lost connection. */
  lastEventId: string | undefined
  /** State without journal entries, which is checked every second: clock, exchanges, misbehaviours. */
  pulse: () => Readonly<{ key: string; data: Pulse }>
  /** Ends the stream: the tenant was deleted, or the harness closes. */
  ended: AbortSignal
  /** Whether the session may still watch. */
  allowed: () => boolean
  /** Resolves when all entries so far are stored; rejects when they cannot be. */
  durable: () => Promise<void>
  /** Number of open streams. */
  watching: { count: number }
}>

/** Seconds between two pulses of a stream. A longer silence means a lost connection. */
const heartbeat = 5

/**
 * The events of a tenant as server-sent events. Every entry has an id, so that a browser that lost the
 * connection gets the missed entries, in order and once. Nothing is buffered in memory: a slow reader
 * is served from the journal. An entry is sent only after it is stored, because an entry that cannot be
 * stored has no effect.
 */
export const eventStream = (watched: Watched): ReadableStream<Uint8Array> => {
  const { journal, ended, durable, watching } = watched
  const resumed = findResumePoint(journal, watched.lastEventId)
  let seq = resumed ?? journal.last
  let lastKey: string | undefined
  let seconds = 0
  let wake = () => {}
  let begun = false
  let leave = () => {}

  const begin = () => {
    begun = true
    const unlisten = journal.listen(() => wake())
    const timer = setInterval(() => {
      seconds += 1
      wake()
    }, 1000)
    timer.unref()
    const end = () => wake()
    ended.addEventListener('abort', end)
    watching.count += 1
    leave = () => {
      leave = () => {}
      watching.count -= 1
      unlisten()
      clearInterval(timer)
      ended.removeEventListener('abort', end)
    }
    return `retry: 1000\n${message('hello', { resumed: resumed !== undefined }, idOf(journal, seq))}`
  }
  const entries = () => {
    const news = journal.after(seq)
    seq = journal.last
    return news.map((entry) => message('entry', toJournalEntry(entry), idOf(journal, entry.seq)))
  }
  const pulses = () => {
    const { key, data } = watched.pulse()
    if (key === lastKey && seconds < heartbeat) return []
    lastKey = key
    seconds = 0
    return [message('pulse', data)]
  }
  /** The next entries that may be sent; undefined when there are none. */
  const next = async (): Promise<string | undefined> => {
    const opening = begun ? '' : begin()
    while (!ended.aborted && watched.allowed()) {
      const text = opening + [...entries(), ...pulses()].join('')
      if (text !== '') {
        return durable().then(
          () => text,
          () => undefined,
        )
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return undefined
  }

  return new ReadableStream(
    {
      pull: async (controller) => {
        const text = await next()
        if (text !== undefined) return controller.enqueue(new TextEncoder().encode(text))
        leave()
        controller.close()
      },
      cancel: () => leave(),
    },
    { highWaterMark: 0 },
  )
}

/** For a page without a stream: the events after `lastEventId`, in one answer. */
export const newsSince = async ({
  journal,
  lastEventId,
  pulse,
  durable,
}: Pick<Watched, 'journal' | 'lastEventId' | 'pulse' | 'durable'>): Promise<News> => {
  const resumed = findResumePoint(journal, lastEventId)
  const seq = journal.last
  const entries = resumed === undefined ? [] : journal.after(resumed)
  const news = {
    resumed: resumed !== undefined,
    last_event_id: idOf(journal, seq),
    entries: entries.map(toJournalEntry),
    pulse: pulse().data,
  }
  await durable()
  return news
}

const message = (event: string, data: unknown, id?: string) =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

/** After a reset the journal counts from one again, so ids of the earlier journal must not match. */
const generations = new WeakMap<Journal, string>()

const generationOf = (journal: Journal) => {
  const known = generations.get(journal) ?? randomBytes(6).toString('hex')
  generations.set(journal, known)
  return known
}

const idOf = (journal: Journal, seq: number) => `${generationOf(journal)}-${seq}`

/**
 * @returns the last entry that was received; undefined when the entries after it are not stored any
 * more
 */
const findResumePoint = (journal: Journal, lastEventId = ''): number | undefined => {
  const [generation, seen] = lastEventId.split('-')
  const seq = Number(seen)
  const isKnown = generation === generationOf(journal) && Number.isInteger(seq)
  return isKnown && seq >= journal.forgotten && seq <= journal.last ? seq : undefined
}
