import type { RequestListener, Server, ServerOptions, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { pathOf } from '../../wire/base-url.ts'
import type { Core } from '../core.ts'
import { errorAnswer } from '../errors.ts'
import { encodeAnswer } from '../message.ts'
import type { Origins } from '../tenant/tenant-context.ts'
import { createExpressApp, createIssuerApp } from './express.ts'
import { frontPage } from './front-page.ts'

// An `import` would load everything `node:http` can export, including WebSockets: a tenth of the start
// time.
const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http')

/** Opens both ports and sets their origins. Opens both or neither. */
export const listenAll = async (
  { issuer, api }: Readonly<{ issuer: Core; api: Core }>,
  origins: Origins,
  {
    host = '127.0.0.1',
    port = 0,
    apiPort = 0,
    frontPages = false,
  }: Readonly<{
    host?: string
    port?: number
    apiPort?: number
    /** Whether `/` of each port answers with a front page. */
    frontPages?: boolean
  }>,
  patience: Patience = usualPatience,
): Promise<{ close: () => Promise<void> }> => {
  const front = (seat: 'issuer' | 'api') => (frontPages ? [frontPage(seat, origins)] : [])
  const seats = [
    createSocketServer(
      createIssuerApp(issuer, () => pathOf(origins.issuer), ...front('issuer')),
      patience,
    ),
    createSocketServer(createExpressApp(api, ...front('api')), patience),
  ] as const
  const close = async () => {
    await Promise.all(seats.map((seat) => seat.close()))
  }
  try {
    origins.issuer = await listen(seats[0].server, host, port)
    origins.api = await listen(seats[1].server, host, apiPort)
  } catch (failed) {
    await close()
    throw failed
  }
  return { close }
}

/** Timeouts of clients and of closing, in milliseconds; maximum size of the header fields. */
export type Patience = ServerOptions & Readonly<{ farewell: number }>

const usualPatience: Patience = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // Longer than the connection pools of common clients keep an idle connection (Go: 90 s), so that the
  // client closes it first and never sends a request on a closing connection.
  keepAliveTimeout: 95_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024,
  farewell: 3_000,
}

const createSocketServer = (host: RequestListener, patience: Patience) => {
  const answering = new Set<ServerResponse>()
  let closing = false
  const server = createServer(patience, (request, response) => {
    answering.add(response)
    response.once('close', () => answering.delete(response))
    if (closing) response.shouldKeepAlive = false
    host(request, response)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const isAnswered = [...answering].some((it) => it.socket === socket && it.headersSent)
    if (isAnswered || !socket.writable || error.code === 'ECONNRESET') socket.destroy()
    else refuseSocket(socket, error.code, patience.farewell)
  })

  /** Finishes accepted requests, then closes. Does not wait for idle connections. */
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      closing = true
      if (!server.listening) return resolve()
      for (const response of answering) response.shouldKeepAlive = false
      const idle = setInterval(() => server.closeIdleConnections(), 50)
      const enough = setTimeout(() => server.closeAllConnections(), patience.farewell)
      server.close(() => {
        clearInterval(idle)
        clearTimeout(enough)
        resolve()
      })
    })
  return { server, close }
}

/** Answers malformed, oversized and timed-out requests, then closes the socket. */
const refuseSocket = (socket: Duplex, code: string | undefined, farewell: number) => {
  const known: Record<string, ReturnType<typeof errorAnswer>> = {
    HPE_HEADER_OVERFLOW: errorAnswer(
      431,
      'headers_too_large',
      'the header fields are longer than this server reads',
    ),
    ERR_HTTP_REQUEST_TIMEOUT: errorAnswer(
      408,
      'request_timeout',
      'the request did not arrive in time',
    ),
  }
  const answer =
    known[code ?? ''] ?? errorAnswer(400, 'invalid_request', 'the request is not valid HTTP/1.1')
  const { headers, body } = encodeAnswer(answer)
  const fields = {
    ...headers,
    'content-length': Buffer.byteLength(body ?? ''),
    connection: 'close',
  }
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${head.join('')}\r\n${body}`,
  )
  const enough = setTimeout(() => socket.destroy(), farewell)
  socket.once('close', () => clearTimeout(enough))
}

/**
 * Length of the queue of unaccepted connections: a thousand agents that start at once overflow the
 * default of 511.
 */
const backlog = 4096

/** @returns the origin of the server */
const listen = (server: Server, host: string, port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog }, () => {
      const { port: chosen, family } = server.address() as AddressInfo
      const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
      resolve(`http://${family === 'IPv6' && name !== 'localhost' ? `[${name}]` : name}:${chosen}`)
    })
  })
