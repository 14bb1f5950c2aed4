import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import type { Fault } from '../../wire/index.ts'
import { authorizationOf } from '../authorization-field.ts'
import type { Core } from '../core.ts'
import { errorAnswer } from '../errors.ts'
import type { Answer, HttpRequest } from '../message.ts'
import { encodeAnswer } from '../message.ts'
import { largestBody } from '../parse.ts'
import { abortableSleep, toReadable } from './fetch.ts'
import { servePageFiles } from './page-files.ts'
import { BodyConsumed, BodyTooDeep, textOfBody } from './parsed-body.ts'

/**
 * A seat as an Express app, to listen with or to mount in another app. It answers every request:
 * mount it behind routes of your own, or below a path. `before` comes first.
 */
export const createExpressApp = (core: Core, ...before: RequestHandler[]): Express => {
  const app = express().disable('x-powered-by').disable('etag')
  for (const handler of before) app.use(handler)
  app.use(async (request, response) => {
    const body = await readBody(request, response)
    await send(response, await core(requestOf(request, body)))
  })
  app.use(answerError(core))
  return app
}

/** Reads the body, unless a parser of the surrounding app has done so. */
const readBody = async (request: Request, response: Response): Promise<Body> => {
  const given: unknown = request.body
  const read = largestBody(request.path) === usual ? readUsual : readConversation
  await new Promise<void>((resolve, reject) =>
    read(request, response, (error) => (error ? reject(error) : resolve())),
  )
  const isAsSent = given === undefined || given !== request.body
  const text = textOfBody(request)
  const limit = largestBody(request.path)
  // A parser of the surrounding app may take more than our own.
  if (!isAsSent && Buffer.byteLength(text) > limit) return { text: '', isAsSent, over: limit }
  return { text, isAsSent }
}

/** `isAsSent`: no parser has undone the coding that the header fields name. */
type Body = Readonly<{ text: string; isAsSent: boolean; over?: number }>

const parserOf = (limit: number) => express.raw({ type: () => true, inflate: false, limit })
const usual = largestBody('')
const readUsual = parserOf(usual)
const readConversation = parserOf(largestBody('/_harness/llm/'))

const requestOf = (request: Request, { text, isAsSent, over }: Body): HttpRequest => {
  const [path = '/', query] = request.url.split(/\?(.*)/s)
  const { authorization: _, 'content-encoding': coding, ...others } = request.headers
  const authorization = authorizationOf(request)
  return {
    method: request.method,
    path,
    query: new URLSearchParams(query),
    ...(request.baseUrl === '' ? {} : { mountedAt: request.baseUrl }),
    headers: {
      ...(others as Record<string, string>),
      ...(authorization === undefined ? {} : { authorization }),
      // A parser that has read the body has undone its coding as well.
      ...(isAsSent && coding !== undefined ? { 'content-encoding': coding } : {}),
    },
    body: text,
    ...(over === undefined ? {} : { bodyOver: over }),
  }
}

/** Answers what the body parser could not read, in the envelope of every other error. */
const answerError =
  (core: Core): ErrorRequestHandler =>
  async (error: Error & { type?: string; status?: number }, request, response, _next) => {
    if (response.headersSent || error.type === 'request.aborted') return response.destroy()
    const unread = { text: '', isAsSent: true }
    // These two are refused by the pipeline, in their turn.
    if (error.type === 'entity.too.large') {
      const over = largestBody(request.path)
      return send(response, await core(requestOf(request, { ...unread, over })))
    }
    if (error.type === 'encoding.unsupported') {
      return send(response, await core(requestOf(request, unread)))
    }
    if (error instanceof BodyConsumed) {
      return send(response, errorAnswer(500, 'server_error', error.message))
    }
    if (error instanceof BodyTooDeep) {
      return send(response, errorAnswer(400, 'invalid_request', error.message))
    }
    const { status = 500 } = error
    if (status >= 500)
      console.error(`bug while answering ${request.method} ${request.path}:`, error)
    return send(
      response,
      status < 500
        ? errorAnswer(400, 'invalid_request', 'the request body cannot be read')
        : errorAnswer(500, 'server_error', 'the harness has a bug; its own log says more'),
    )
  }

/** The issuer, with the files of its approvals page, which may be asked for with the path in front. */
export const createIssuerApp = (
  core: Core,
  pathInFront: () => string = () => '',
  ...before: RequestHandler[]
): Express => createExpressApp(core, servePageFiles(pathInFront), ...before)

const send = async (response: Response, answer: Answer): Promise<void> => {
  try {
    if (answer.body instanceof ReadableStream) await sendStream(response, answer, answer.body)
    else if (answer.fault) await sendWithFault(response, answer, answer.fault)
    else response.end(writeHead(response, answer) ?? undefined)
  } catch {
    // The client has left, or a fault is to break the connection.
    response.destroy()
  }
}

/** @returns the body that is to follow */
const writeHead = (response: Response, answer: Answer): string | null => {
  const { headers, body } = encodeAnswer(answer)
  response.statusCode = answer.status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (body !== null && !('content-length' in headers)) {
    response.setHeader('content-length', Buffer.byteLength(body))
  }
  return body
}

/** An answer with a fault: late, in pieces, cut off or never there. */
const sendWithFault = async (response: Response, answer: Answer, fault: Fault): Promise<void> => {
  const hungUp = new AbortController()
  response.once('close', () => hungUp.abort())
  await abortableSleep(fault.delay, hungUp.signal)
  if (fault.breaks === 'before') return void response.socket?.resetAndDestroy()
  const body = writeHead(response, answer) ?? ''
  for await (const piece of toReadable(body, body === '' ? {} : fault, hungUp.signal)) {
    await new Promise((sent) => response.write(piece, sent))
  }
  response.end()
}

/** Ends when either side does: a client that leaves cancels the stream. */
const sendStream = (response: Response, answer: Answer, body: ReadableStream): Promise<void> => {
  response.shouldKeepAlive = false
  writeHead(response, { ...answer, body: undefined })
  response.flushHeaders()
  return pipeline(Readable.fromWeb(body), response)
}
