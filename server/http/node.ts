import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Fault, isModelPath } from '../wire/index.ts'
import type { Core } from './core.ts'
import { errorAnswer } from './errors.ts'
import { arriving, encoded, pause } from './fetch.ts'
import type { Answer, HttpRequest } from './message.ts'
import { largestBody, largestConversation } from './parse.ts'

/** A seat as a listener of `node:http`. Routing, parsing and answers are the core's. */
export const nodeHost =
  (core: Core): RequestListener =>
  (request, response) => {
    // A client that left, or a fault that is to break the connection: a core itself never throws.
    answered(core, request, response).catch(() => response.destroy())
  }

const answered = async (core: Core, request: IncomingMessage, response: ServerResponse) => {
  const [path = '/', query] = (request.url ?? '/').split(/\?(.*)/s)
  const body = await bodyOf(request, isModelPath(path) ? largestConversation : largestBody)
  if (typeof body !== 'string') return body && send(response, body)
  const asked: HttpRequest = {
    method: request.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: request.headers as Record<string, string>,
    body,
  }
  const answer = await core(asked)
  if (answer.fault) await sendBadly(response, answer, answer.fault)
  else send(response, answer)
}

/** The whole body; or the answer to one that is too large; undefined where the client left. */
const bodyOf = (
  request: IncomingMessage,
  largest: number,
): string | Answer | Promise<string | Answer | undefined> => {
  const { 'content-length': declared, 'transfer-encoding': coding } = request.headers
  if (declared === undefined && coding === undefined) return ''
  const tooLarge = () =>
    errorAnswer(413, 'request_too_large', `expected a body of at most ${largest} bytes`)
  if (Number(declared) > largest) {
    request.resume()
    return tooLarge()
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > largest) resolve(tooLarge())
      else chunks.push(chunk)
    })
    request.on('end', () => resolve(utf8.decode(Buffer.concat(chunks))))
    request.on('close', () => resolve(undefined))
    request.on('error', () => resolve(undefined))
  })
}

/** A byte order mark is no part of the text, as `Request.text()` has it, too. */
const utf8 = new TextDecoder()

const send = (response: ServerResponse, answer: Answer) => {
  if (answer.body instanceof ReadableStream) return stream(response, answer, answer.body)
  const body = writeHead(response, answer)
  response.end(body ?? undefined)
}

const writeHead = (response: ServerResponse, answer: Answer): string | null => {
  const { headers, body } = encoded(answer)
  if (body !== null) headers['content-length'] = String(Buffer.byteLength(body))
  response.writeHead(answer.status, headers)
  return body
}

/** An answer with a fault: late, in pieces, cut off or never there. */
const sendBadly = async (response: ServerResponse, answer: Answer, fault: Fault) => {
  const hungUp = new AbortController()
  response.once('close', () => hungUp.abort())
  await pause(fault.delay, hungUp.signal)
  if (fault.breaks === 'before') return response.socket?.resetAndDestroy()
  const body = writeHead(response, answer) ?? ''
  for await (const piece of arriving(body, body === '' ? {} : fault, hungUp.signal)) {
    await new Promise((sent) => response.write(piece, sent))
  }
  response.end()
}

/** Ends when either side does: a client that leaves cancels the stream. */
const stream = (response: ServerResponse, { status, headers }: Answer, body: ReadableStream) => {
  response.shouldKeepAlive = false
  response.writeHead(status, { ...headers })
  response.flushHeaders()
  pipeline(Readable.fromWeb(body), response).catch(() => {})
}
