import { createServer } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readText } from '../../../server/wire/read-text.ts'

describe('reading the text of a response', () => {
  it('succeeds up to the limit in bytes', async () => {
    expect(await readText(new Response('é'.repeat(5)), 10)).toBe('é'.repeat(5))
    expect(await readText(new Response('é'.repeat(5)), 9)).toBeUndefined()
    expect(await readText(new Response(null), 0)).toBe('')
  })

  it('decodes characters split across chunks', async () => {
    const bytes = new TextEncoder().encode('ä€😀')
    const body = new ReadableStream({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]))
        controller.close()
      },
    })

    expect(await readText(new Response(body))).toBe('ä€😀')
  })

  it('stops a response without end', async () => {
    let stopped = false
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      cancel: () => {
        stopped = true
      },
    })

    expect(await readText(new Response(endless), 5000)).toBeUndefined()
    expect(stopped).toBe(true)
  })

  it('measures the decompressed size', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000, 'x'))
    const server = createServer((_, response) => {
      response.setHeader('content-encoding', 'gzip').end(bomb)
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }

    const response = await fetch(`http://127.0.0.1:${port}/`)

    expect(bomb.length).toBeLessThan(100_000)
    expect(await readText(response)).toBeUndefined()
    server.closeAllConnections()
    server.close()
  })
})
