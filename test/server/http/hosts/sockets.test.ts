import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Core } from '../../../../server/http/core.ts'
import { listenAll, type Patience } from '../../../../server/http/hosts/listen.ts'
import { ok } from '../../../../server/http/message.ts'

const impatient: Patience = {
  headersTimeout: 200,
  requestTimeout: 400,
  keepAliveTimeout: 200,
  connectionsCheckingInterval: 50,
  maxHeaderSize: 2048,
  farewell: 500,
}

let closing: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closing.map((close) => close()))
  closing = []
})

const listening = async (core: Core = async () => ok({ fine: true }), more = {}) => {
  const origins = { issuer: '', api: '' }
  const seats = { issuer: core, api: core }
  const { close } = await listenAll(seats, origins, {}, { ...impatient, ...more })
  closing.push(close)
  return { origin: origins.issuer, port: Number(new URL(origins.issuer).port), close }
}

/** A connection, and all bytes received on it until it closed. */
const talking = (port: number, ...pieces: string[]) => {
  const socket = connect(port, '127.0.0.1')
  const heard = new Promise<string>((resolve) => {
    let text = ''
    socket.setEncoding('latin1').on('data', (data) => {
      text += data
    })
    socket.on('error', () => resolve(text))
    socket.on('close', () => resolve(text))
  })
  for (const piece of pieces) socket.write(piece, 'latin1')
  return { socket, heard }
}

const answerIn = (heard: string) => {
  const [head = '', body = ''] = heard.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) }
}

const get = 'GET / HTTP/1.1\r\nhost: x\r\n'

describe('a request that takes too long', () => {
  it.each([
    ['in the header fields', [get]],
    ['in the body', ['POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n', 'abc']],
    ['in a chunk', ['POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n', 'a\r\n1']],
  ])('gets 408 request_timeout when it stalls %s', async (_, pieces) => {
    const { port } = await listening()

    const { heard } = talking(port, ...pieces)

    expect(answerIn(await heard)).toMatchObject({ status: 408, body: { error: 'request_timeout' } })
  })

  it('has its connection closed when the client neither reads nor closes it', async () => {
    const { port } = await listening()
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).pause()
    socket.write(get)

    const ended = new Promise((resolve) => socket.once('error', resolve))
    // Only a socket that writes gets an error after the peer has closed.
    const writing = setInterval(() => socket.write('x'), 50)

    expect(await ended).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) })
    clearInterval(writing)
  })

  it('gets 408 even if the client sends one byte at a time', async () => {
    const { port } = await listening()
    const { socket, heard } = talking(port, get)
    const dripping = setInterval(() => socket.write('x: y\r\n'), 20)

    const answer = answerIn(await heard)
    clearInterval(dripping)

    expect(answer.status).toBe(408)
  })

  it('gets 408 without any bytes; an idle connection between two requests is closed', async () => {
    const { port } = await listening()

    expect(answerIn(await talking(port).heard).status).toBe(408)
    expect(await talking(port, `${get}\r\n`).heard).toContain('{"fine":true}')
  })
})

describe('malformed HTTP is answered in the error envelope with', () => {
  it.each([
    [431, 'headers_too_large', `${get}x: ${'y'.repeat(4000)}\r\n\r\n`],
    [400, 'invalid_request', 'nonsense\r\n\r\n'],
    [400, 'invalid_request', `${get}a b: c\r\n\r\n`],
    [400, 'invalid_request', `${get}x: a\u0000b\r\n\r\n`],
    [400, 'invalid_request', `${get}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`],
    [400, 'invalid_request', `${get}content-length: 1\r\ncontent-length: 2\r\n\r\n`],
    [
      400,
      'invalid_request',
      'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    ],
  ])('%i %s', async (status, error, text) => {
    const { port } = await listening()

    const { heard } = talking(port, text)

    expect(answerIn(await heard)).toMatchObject({ status, body: { error, code: error, status } })
  })
})

describe('closing the server', () => {
  it('answers accepted requests with connection: close', async () => {
    const { origin, close } = await listening(async () => {
      await pause(100)
      return ok({ fine: true })
    })
    const asking = fetch(origin)
    await pause(50)

    const closed = close()

    const answer = await asking
    expect(await answer.json()).toEqual({ fine: true })
    expect(answer.headers.get('connection')).toBe('close')
    await closed
    await expect(fetch(origin)).rejects.toThrow()
  })

  it('closes idle connections at once', async () => {
    const { port, close } = await listening(undefined, { keepAliveTimeout: 60_000 })
    const { socket } = talking(port, `${get}\r\n`)
    await new Promise((data) => socket.once('data', data))
    const start = performance.now()

    await close()

    expect(performance.now() - start).toBeLessThan(400)
  })

  it('closes a connection that gets no answer', async () => {
    const { port, close } = await listening(() => new Promise(() => {}), { requestTimeout: 60_000 })
    const { heard } = talking(port, `${get}\r\n`)
    await pause(50)

    await close()

    expect(await heard).toBe('')
  })
})

it('keep-alive outlasts the idle timeout in the pools of common clients', async () => {
  const origins = { issuer: '', api: '' }
  const core: Core = async () => ok({ fine: true })
  const { close } = await listenAll({ issuer: core, api: core }, origins, {})
  closing.push(close)

  const { headers } = await fetch(origins.issuer)

  const [, seconds] = /^timeout=(\d+)$/.exec(headers.get('keep-alive') ?? '') ?? []
  expect(Number(seconds)).toBeGreaterThan(90)
})
