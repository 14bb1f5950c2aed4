import { randomBytes } from 'node:crypto'
import type { Journal } from '../issuer/journal.ts'
import type { News, Pulse } from '../wire/index.ts'
import { toJournalEntry } from './views.ts'

export type Watched = Readonly<{
  journal: Journal
  /** Where an `EventSource` was when it lost its stream: the `Last-Event-ID` it sends. */
  lastEventId: string | undefined
  /** What is no event, and is looked at every second: the clock, exchanges, misbehaviours. */
  pulse: () => Readonly<{ key: string; data: Pulse }>
  /** Ends the stream: the tenant is gone, or the harness closes. */
  ended: AbortSignal
  /** Whether whoever watches may still. */
  allowed: () => boolean
  /** Resolves when all that has happened is kept; rejects when it cannot be. */
  durable: () => Promise<void>
  /** How many watch. */
  watching: { count: number }
}>

/** Seconds after which a stream sends its pulse again: silence that is longer is a lost connection. */
const heartbeat = 5

/**
 * What happens in a tenant as server-sent events. Every entry carries an id, so that a browser that
 * lost the stream gets what it missed, in order and once. It holds nothing back in memory: a slow
 * reader is served from the journal. Nothing is told before it is kept: it could yet not have happened.
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
  /** What can be told next; undefined when there is nothing more to tell. */
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

/** The same for a page that holds no stream: what happened after `lastEventId`, all at once. */
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

/** A journal that begins anew counts from one again: its ids must not be taken for the old one's. */
const generations = new WeakMap<Journal, string>()

const generationOf = (journal: Journal) => {
  const known = generations.get(journal) ?? randomBytes(6).toString('hex')
  generations.set(journal, known)
  return known
}

const idOf = (journal: Journal, seq: number) => `${generationOf(journal)}-${seq}`

/** @returns the last entry that was seen; undefined where what came after it is not known any more */
const findResumePoint = (journal: Journal, lastEventId = ''): number | undefined => {
  const [generation, seen] = lastEventId.split('-')
  const seq = Number(seen)
  const isKnown = generation === generationOf(journal) && Number.isInteger(seq)
  return isKnown && seq >= journal.forgotten && seq <= journal.last ? seq : undefined
}
