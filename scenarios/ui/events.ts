import { EventEmitter } from 'node:events'
import type { RequestHandler, Response } from 'express'

/** A message to the page. */
export type PageEvent = Readonly<
  | { kind: 'items'; items: readonly unknown[] }
  | { kind: 'gone'; ids: readonly string[] }
  | { kind: 'progress'; id: string }
  | { kind: 'runs'; runs: readonly unknown[] }
>

/** As many as a page may have missed; more, and it reads the whole state again. */
const kept = 500

/** Seconds between two pulses; the page takes a longer silence for a lost connection. */
const heartbeat = 5

/** Numbered events, as server-sent events and, where a proxy holds a stream back, in one answer. */
export class Events {
  readonly #events: PageEvent[] = []
  readonly #listeners = new EventEmitter().setMaxListeners(0)
  readonly #generation = Math.random().toString(36).slice(2)
  #last = 0

  push(event: PageEvent): void {
    this.#last += 1
    this.#events.push(event)
    if (this.#events.length > kept) this.#events.shift()
    this.#listeners.emit('event', event, this.#idOf(this.#last))
  }

  /** `GET …/events`: the events after `Last-Event-ID`, and all that follow. */
  readonly stream: RequestHandler = (request, response) => {
    const after = this.#placeOf(request.get('last-event-id') ?? request.query.last_event_id)
    response.set({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    response.flushHeaders()
    response.write('retry: 1000\n')
    send(response, 'hello', { resumed: after !== undefined }, this.#idOf(this.#last))
    for (const event of this.#after(after ?? this.#last)) send(response, 'entry', event)
    const tell = (event: PageEvent, id: string) => send(response, 'entry', event, id)
    this.#listeners.on('event', tell)
    const pulse = setInterval(() => send(response, 'pulse', {}), heartbeat * 1000)
    response.once('close', () => {
      clearInterval(pulse)
      this.#listeners.off('event', tell)
    })
  }

  /** `GET …/news`: the same, once. */
  readonly news: RequestHandler = (request, response) => {
    const after = this.#placeOf(request.query.last_event_id)
    response.json({
      resumed: after !== undefined,
      last_event_id: this.#idOf(this.#last),
      entries: this.#after(after ?? this.#last),
      pulse: {},
    })
  }

  #idOf(seq: number): string {
    return `${this.#generation}-${seq}`
  }

  #after(seq: number): readonly PageEvent[] {
    return seq === this.#last ? [] : this.#events.slice(seq - this.#last)
  }

  /** The number of an id; undefined where events after it are not kept any more. */
  #placeOf(id: unknown): number | undefined {
    const [generation, text] = String(id ?? '').split('-')
    const seq = Number(text)
    const isKept = seq <= this.#last && seq >= this.#last - this.#events.length
    return generation === this.#generation && isKept ? seq : undefined
  }
}

const send = (response: Response, event: string, data: unknown, id?: string) => {
  response.write(
    `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
  )
}
