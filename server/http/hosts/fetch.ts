import { setTimeout } from 'node:timers/promises'
import type { Fault } from '../../wire/index.ts'
import { readText } from '../../wire/read-text.ts'
import type { Core } from '../core.ts'
import type { Answer, HttpRequest } from '../message.ts'
import { encodeAnswer } from '../message.ts'
import { largestBody } from '../parse.ts'

/** A seat as a function from a `Request` to its `Response`, without a socket. */
export const fetchHost =
  (core: Core) =>
  async (request: Request): Promise<Response> =>
    toResponse(await core(await requestOf(request)), request.signal)

const requestOf = async (request: Request): Promise<HttpRequest> => {
  const { pathname, searchParams } = new URL(request.url)
  const largest = largestBody(pathname)
  const body = await readText(request, largest)
  return {
    method: request.method,
    path: pathname,
    query: searchParams,
    headers: Object.fromEntries(request.headers),
    ...(body === undefined ? { body: '', bodyOver: largest } : { body }),
  }
}

/**
 * The answer as the client receives it, including network faults. An answer that never arrives is a
 * `Response.error()`, as MSW expects.
 */
export const toResponse = async (answer: Answer, signal?: AbortSignal): Promise<Response> => {
  if (answer.body instanceof ReadableStream) {
    return new Response(answer.body, { status: answer.status, headers: { ...answer.headers } })
  }
  const { status, fault } = answer
  const { body, headers } = encodeAnswer(answer)
  if (fault === undefined) return new Response(body, { status, headers })
  try {
    await abortableSleep(fault.delay, signal)
  } catch {
    return Response.error()
  }
  if (fault.breaks === 'before') return Response.error()
  if (body === null) return new Response(body, { status, headers })
  // Needed to detect a truncated body.
  const length = String(Buffer.byteLength(body))
  return new Response(ReadableStream.from(toReadable(body, fault, signal)), {
    status,
    headers: { ...headers, 'content-length': length },
  })
}

/** Streams the body in pieces with pauses. Throws when the connection breaks. */
export async function* toReadable(
  body: string,
  { breaks, drip = { pieces: 1, pause: 0 } }: Fault,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(body)
  const end = breaks === 'within' ? Math.floor(bytes.length / 2) : bytes.length
  const size = Math.max(1, Math.ceil(bytes.length / drip.pieces))
  for (let at = 0; at < end; at += size) {
    await abortableSleep(drip.pause, signal)
    yield bytes.slice(at, Math.min(end, at + size))
  }
  if (breaks === 'within') throw new TypeError('terminated')
}

/** Waits; rejects when the client disconnects. A delay of zero takes no turn of the event loop. */
export const abortableSleep = async (milliseconds = 0, signal?: AbortSignal): Promise<void> => {
  signal?.throwIfAborted()
  if (milliseconds > 0) await setTimeout(milliseconds, undefined, signal ? { signal } : {})
}

/**
 * Thrown for a request to a closed harness. A `TypeError`, as `fetch` throws it for a refused
 * connection.
 */
export class HarnessClosed extends TypeError {
  override readonly name = 'HarnessClosed'
  readonly code = 'harness_closed'

  constructor(issuer: string) {
    super(`the harness of ${issuer} is closed`)
  }
}
