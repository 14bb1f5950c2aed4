import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { type Fault, isModelPath } from '../wire/index.ts'
import type { Core } from './core.ts'
import { errorAnswer } from './errors.ts'
import { arriving, encoded, pause } from './fetch.ts'
import type { Answer, HttpRequest } from './message.ts'
import { largestBody, largestConversation } from './parse.ts'

/** A seat as an Express app. Routing, parsing and answers are the core's. */
export const expressHost = (core: Core): Express => {
  const app = express()
  app.disable('x-powered-by')
  const read = bodyReader(largestBody)
  const readConversation = bodyReader(largestConversation)
  app.use((request, response, next) =>
    (isModelPath(request.path) ? readConversation : read)(request, response, next),
  )
  app.use(async (request, response) => {
    const answer = await core(requestOf(request))
    if (answer.fault) await sendBadly(response, answer, answer.fault)
    else send(response, answer)
  })
  app.use(refuseBody)
  return app
}

const bodyReader = (limit: number) => express.raw({ type: () => true, limit, inflate: false })

const requestOf = (request: express.Request): HttpRequest => {
  const [path = '/', query] = request.originalUrl.split(/\?(.*)/s)
  return {
    method: request.method,
    path,
    query: new URLSearchParams(query),
    headers: request.headers as Record<string, string>,
    // A byte order mark is no part of the text, as `Request.text()` has it, too.
    body: Buffer.isBuffer(request.body) ? new TextDecoder().decode(request.body) : '',
  }
}

const send = (response: express.Response, answer: Answer) => {
  if (answer.body instanceof ReadableStream) return stream(response, answer, answer.body)
  const body = writeHead(response, answer)
  response.end(body ?? undefined)
}

const writeHead = (response: express.Response, answer: Answer): string | null => {
  const { headers, body } = encoded(answer)
  response.writeHead(
    answer.status,
    body === null ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) },
  )
  return body
}

/** An answer with a fault: late, in pieces, cut off or never there. */
const sendBadly = async (response: express.Response, answer: Answer, fault: Fault) => {
  const hungUp = new AbortController()
  response.once('close', () => hungUp.abort())
  try {
    await pause(fault.delay, hungUp.signal)
    if (fault.breaks === 'before') {
      response.socket?.resetAndDestroy()
      return
    }
    const body = writeHead(response, answer) ?? ''
    for await (const piece of arriving(body, body === '' ? {} : fault, hungUp.signal)) {
      await new Promise((sent) => response.write(piece, sent))
    }
    response.end()
  } catch {
    response.destroy()
  }
}

/** Ends when either side does: a client that leaves cancels the stream. */
const stream = (response: express.Response, { status, headers }: Answer, body: ReadableStream) => {
  response.shouldKeepAlive = false
  response.writeHead(status, { ...headers })
  response.flushHeaders()
  pipeline(Readable.fromWeb(body), response).catch(() => {})
}

/** What the body reader refuses before the core sees it: too large, compressed, cut off. */
const refuseBody: ErrorRequestHandler = (error, _request, response, _next) => {
  const status = Number(error?.status) || 500
  const known: Record<number, Answer> = {
    413: errorAnswer(413, 'request_too_large', `expected a body of at most ${largestBody} bytes`),
    415: errorAnswer(415, 'unsupported_media_type', 'a compressed body is not accepted'),
    500: errorAnswer(500, 'server_error', 'the harness has a bug; its own log says more'),
  }
  send(response, known[status] ?? errorAnswer(400, 'invalid_request', 'the body could not be read'))
}
