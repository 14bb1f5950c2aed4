import { rejectOnAbort } from './time.ts'

type Flight<T> = { readonly result: Promise<T>; readonly abort: AbortController; waiting: number }

/**
 * Concurrent callers with the same key share one run. A caller that aborts leaves the others running;
 * the run is aborted when its last caller aborts. The result is not cached.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>()

  async run(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted()
    const flight = this.#flights.get(key) ?? this.#start(key, work)
    flight.waiting += 1
    try {
      return await rejectOnAbort(flight.result, signal)
    } finally {
      flight.waiting -= 1
      if (flight.waiting === 0) {
        this.#end(key, flight)
        flight.abort.abort()
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController()
    const result = work(abort.signal)
    const flight = { result, abort, waiting: 0 }
    const end = () => this.#end(key, flight)
    result.then(end, end)
    this.#flights.set(key, flight)
    return flight
  }

  #end(key: string, flight: Flight<T>) {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}
