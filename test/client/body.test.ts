import { describe, expect, it } from 'vitest'
import { api, atWork, type World } from './world.ts'

const doc = `${api}/v1/documents/doc_1`
const allow = [{ type: 'file_access', actions: ['write'] }]

const sent = (world: World) => world.to('PUT /v1/documents/doc_1').map(({ text }) => text)

const stream = (...chunks: unknown[]) =>
  new ReadableStream({
    pull: (controller) => {
      const chunk = chunks.shift()
      if (chunk === undefined) controller.close()
      else controller.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk)
    },
  })

const form = new FormData()
form.set('name', 'hello')

describe('a body that cannot be replayed', () => {
  it('throws body_not_replayable before anything is sent', async () => {
    const { world, jit } = await atWork({ allow, bodyLimit: 8 })

    await expect(
      jit.fetch(doc, { method: 'PUT', body: stream('12345', '6789'), duplex: 'half' }),
    ).rejects.toMatchObject({ code: 'body_not_replayable' })

    expect(sent(world)).toEqual([])
  })

  it('may be exactly as long as bodyLimit', async () => {
    const { world, jit } = await atWork({ allow, bodyLimit: 8 })

    await jit.fetch(doc, { method: 'PUT', body: stream('1234', '5678'), duplex: 'half' })

    expect(sent(world)).toEqual(['12345678', '12345678'])
  })

  it('is cancelled when it is rejected', async () => {
    const { jit } = await atWork({ allow, bodyLimit: 8 })
    let reason: unknown
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(5)),
      cancel: (it) => {
        reason = it
      },
    })

    await jit.fetch(doc, { method: 'PUT', body: endless, duplex: 'half' }).catch(() => {})

    expect(reason).toMatchObject({ code: 'body_not_replayable' })
  })

  it('throws TypeError when it is a stream of anything but bytes', async () => {
    const { world, jit } = await atWork({ allow })

    await expect(
      jit.fetch(doc, { method: 'PUT', body: stream(42), duplex: 'half' }),
    ).rejects.toThrow(TypeError)

    expect(sent(world)).toEqual([])
  })

  it.each([[42], [new Uint16Array(2)], [{ byteLength: 2 }]])(
    'throws TypeError when it yields %j, and ends the iterator',
    async (chunk) => {
      const { world, jit } = await atWork({ allow })
      let ended = false
      const chunks = async function* () {
        try {
          yield chunk
        } finally {
          ended = true
        }
      }

      await expect(
        jit.fetch(doc, { method: 'PUT', body: chunks() as never, duplex: 'half' }),
      ).rejects.toThrow('expected chunks of bytes in the body stream')

      expect([sent(world), ended]).toEqual([[], true])
    },
  )

  it('is cancelled when the caller aborts while it is read', async () => {
    const { world, jit } = await atWork({ allow })
    const abort = new AbortController()
    const body = new ReadableStream({ pull: () => abort.abort(new Error('changed my mind')) })

    await expect(
      jit.fetch(doc, { method: 'PUT', body, duplex: 'half', signal: abort.signal }),
    ).rejects.toThrow('changed my mind')

    expect(sent(world)).toEqual([])
  })
})

describe('a replayed body', () => {
  it.each([
    ['a string', () => 'hello'],
    ['an ArrayBuffer', () => new TextEncoder().encode('hello').buffer],
    ['bytes', () => new TextEncoder().encode('hello')],
    ['a Blob', () => new Blob(['hel', 'lo'])],
    ['parameters', () => new URLSearchParams('hello')],
    ['a stream', () => stream('hel', 'lo')],
    [
      'an async iterable',
      async function* () {
        yield 'hel'
        yield new TextEncoder().encode('lo')
      },
    ],
  ])('is the same when it is %s', async (_, body) => {
    const { world, jit } = await atWork({ allow })

    const response = await jit.fetch(doc, {
      method: 'PUT',
      body: body() as NonNullable<RequestInit['body']>,
      duplex: 'half',
    })

    expect(response.status).toBe(200)
    expect(sent(world).map((it) => it.replace(/=$/, ''))).toEqual(['hello', 'hello'])
  })

  it('is the same form with its own boundary', async () => {
    const { world, jit } = await atWork({ allow })

    await jit.fetch(doc, { method: 'PUT', body: form })

    for (const { text, headers } of world.to('PUT /v1/documents/doc_1')) {
      const boundary = headers.get('content-type')?.split('boundary=')[1]
      expect(text).toContain(`--${boundary}\r\n`)
      expect(text).toContain('hello')
    }
  })

  it('is that of a Request, with its method, headers and signal', async () => {
    const { world, jit } = await atWork({ allow })
    const request = new Request(doc, { method: 'PUT', body: 'hello', headers: { 'x-mine': 'yes' } })

    const response = await jit.fetch(request)

    expect(response.status).toBe(200)
    expect(sent(world)).toEqual(['hello', 'hello'])
    expect(world.received.at(-1)?.headers.get('x-mine')).toBe('yes')
    expect(world.received.at(-1)?.headers.get('content-type')).toMatch('text/plain')
  })

  it('is that of the init, which takes precedence over a Request', async () => {
    const { world, jit } = await atWork({ allow })

    await jit.fetch(new Request(doc, { method: 'PUT', body: 'old' }), { body: 'new' })

    expect(sent(world)).toEqual(['new', 'new'])
  })

  it('keeps an Idempotency-Key of the caller', async () => {
    const { world, jit } = await atWork({ allow })

    await jit.fetch(doc, { method: 'put', body: 'x', headers: { 'idempotency-key': '"1"' } })

    const keys = world
      .to('PUT /v1/documents/doc_1')
      .map(({ headers }) => headers.get('idempotency-key'))
    expect(keys).toEqual(['"1"', '"1"'])
  })
})
