import { BodyNotReplayableError } from './errors.ts'
import { rejectOnAbort } from './time.ts'

export type Body = RequestInit['body']

/**
 * A body that can be sent more than once: strings, bytes, forms and blobs unchanged, a stream read into
 * memory.
 * @throws {BodyNotReplayableError} when a stream is longer than the limit
 * @throws {TypeError} for a stream that was read, or whose chunks are not bytes
 */
export const makeReplayable = async (
  body: Body,
  limit: number,
  signal?: AbortSignal,
): Promise<Body> => {
  const source = sourceOf(body)
  return source === undefined ? body : bufferSource(source, limit, signal)
}

/** Reads a stream or an async iterable, and can stop at any time. */
type Source = Readonly<{
  next(): Promise<{ done?: boolean | undefined; value?: unknown }>
  stop(reason: unknown): unknown
}>

const sourceOf = (body: unknown): Source | undefined => {
  if (isStream(body)) {
    assertUnread(body)
    const reader = body.getReader()
    return { next: () => reader.read(), stop: (reason) => reader.cancel(reason) }
  }
  if (typeof body !== 'object' || body === null || !(Symbol.asyncIterator in body)) return undefined
  const iterator = (body as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  return { next: () => iterator.next(), stop: () => iterator.return?.() }
}

/**
 * Recognised by its methods, not by its class, because other realms and other copies of undici have
 * their own.
 */
const isStream = (body: unknown): body is ReadableStream =>
  typeof body === 'object' &&
  body !== null &&
  'getReader' in body &&
  typeof body.getReader === 'function'

/** @throws {TypeError} for a stream that was read or is being read, as `fetch` does */
const assertUnread = (stream: ReadableStream): void => {
  if (stream instanceof ReadableStream) void new Response(stream)
}

const isBytes = (chunk: unknown): chunk is Uint8Array =>
  ArrayBuffer.isView(chunk) && Reflect.get(chunk, Symbol.toStringTag) === 'Uint8Array'

const bufferSource = async (source: Source, limit: number, signal?: AbortSignal) => {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  try {
    for (;;) {
      const { done, value } = await rejectOnAbort(source.next(), signal)
      if (done) return await new Blob(chunks).arrayBuffer()
      const chunk = bytesOf(value)
      length += chunk.byteLength
      if (length > limit) {
        throw new BodyNotReplayableError(
          `expected a body stream of at most ${limit} bytes, so that it can be sent again: increase bodyLimit, or pass bytes`,
        )
      }
      chunks.push(chunk)
    }
  } catch (error) {
    void Promise.resolve(source.stop(error)).catch(() => undefined)
    throw error
  }
}

const bytesOf = (chunk: unknown): Uint8Array<ArrayBuffer> => {
  if (typeof chunk === 'string') return new TextEncoder().encode(chunk)
  if (isBytes(chunk)) return new Uint8Array(chunk)
  throw new TypeError('expected chunks of bytes in the body stream')
}
