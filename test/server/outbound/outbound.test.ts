import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createOutbound, NotSent, type OutboundOptions } from '../../../server/outbound/outbound.ts'
import { outside } from '../http/issuer/world.ts'

const world = (options: OutboundOptions = {}) => {
  const far = outside()
  const outbound = createOutbound({ resolve: far.resolve, send: far.send, ...options })
  const post = (url: string) => outbound.post(url, {}, '{}', new AbortController().signal)
  return { far, outbound, post }
}

const refusalOf = async (sending: Promise<unknown>) => {
  try {
    return `answered ${await sending}`
  } catch (thrown) {
    return thrown instanceof NotSent ? thrown.message : `a bug: ${thrown}`
  }
}

const disguised = [
  'http://2130706433/',
  'http://0x7f000001/',
  'http://017700000001/',
  'http://0177.0.0.1/',
  'http://127.1/',
  'http://127.0.1/',
  'http://①②⑦.0.0.1/',
  'http://[0:0:0:0:0:0:0:1]/',
]

const elsewhere = [
  'http://0.0.0.0/',
  'http://10.0.0.1/',
  'http://100.64.0.1/',
  'http://168.63.129.16/',
  'http://169.254.169.254/latest/meta-data/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://198.18.0.1/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://[::]/',
  'http://[fc00::1]/',
  'http://[fe80::1]/',
  'http://[ff02::1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[::ffff:7f00:1]/',
  'http://[::ffff:a9fe:a9fe]/',
]

describe('a message to a URL from a caller', () => {
  it.each(['file:///etc/passwd', 'ftp://127.0.0.1/', 'gopher://127.0.0.1/', 'javascript:1', 'x'])(
    'is never sent by another scheme: %s',
    async (url) => {
      const { post, far } = world({ allow: 'public' })

      expect(await refusalOf(post(url))).toMatch(/expected (http or https|a URL)/)
      expect(far.sent).toEqual([])
    },
  )

  it('is never sent with credentials in the URL', async () => {
    const { post } = world({ allow: 'public' })

    expect(await refusalOf(post('http://user:pw@127.0.0.1/'))).toBe(
      'expected a URL without credentials',
    )
    expect(await refusalOf(post('http://127.0.0.1@10.0.0.1/'))).toBe(
      'expected a URL without credentials',
    )
  })

  it.each(disguised)('is never sent to a disguised address: %s', async (url) => {
    for (const allow of ['loopback', 'public'] as const) {
      const { post, far } = world({ allow })

      expect(await refusalOf(post(url))).toBe('expected the address in its usual notation')
      expect(far.sent).toEqual([])
    }
  })

  it.each(elsewhere)('is never sent to a private or special address: %s', async (url) => {
    for (const allow of ['loopback', 'public'] as const) {
      const { post, far, outbound } = world({ allow })

      expect(outbound.objection(url)).toMatch(/address/)
      expect(await refusalOf(post(url))).toMatch(/address/)
      expect(far.sent).toEqual([])
    }
  })

  it.each([
    ['169.254.169.254', 4],
    ['10.1.2.3', 4],
    ['::ffff:127.0.0.1', 6],
    ['fd00::1', 6],
  ] as const)('is never sent to a name that resolves to %s', async (address, family) => {
    const { post, far } = world({ allow: 'public' })
    far.names.set('innocent.example', [
      { address: '93.184.216.34', family: 4 },
      { address, family },
    ])

    expect(await refusalOf(post('https://innocent.example/'))).toMatch(
      /expected an address that is public/,
    )
    expect(far.sent).toEqual([])
  })

  it('is sent to loopback addresses only, unless the operator allows public ones', async () => {
    const { post, far } = world()
    const open = world({ allow: 'public' })
    for (const { names } of [far, open.far]) {
      names.set('example.com', [{ address: '93.184.216.34', family: 4 }])
    }

    for (const url of ['http://93.184.216.34/', 'http://example.com/', 'http://[2606:2800::1]/']) {
      expect(await refusalOf(post(url))).toBe('expected an address of this machine')
      expect(await refusalOf(open.post(url))).toBe('answered 202')
    }
    for (const url of ['http://127.0.0.1:1/', 'http://127.8.8.8/', 'http://[::1]:80/']) {
      expect(await refusalOf(post(url))).toBe('answered 202')
    }
  })

  it('is sent to the address that was checked, without resolving the name again', async () => {
    const { post, far } = world()

    await post('http://localhost:8080/hook')

    expect(far.sent[0]?.to).toEqual({ address: '127.0.0.1', family: 4 })
    expect(far.sent[0]?.url.host).toBe('localhost:8080')
  })

  it('fails when the name cannot be resolved, or resolves to nothing', async () => {
    const { post, far } = world()
    far.names.set('empty.example', [])

    expect(await refusalOf(post('http://unknown.example/'))).toBe(
      'the host name cannot be resolved',
    )
    expect(await refusalOf(post('http://empty.example/'))).toBe('the host name has no address')
  })

  it('reports only the error code of a failed connection', async () => {
    const { post, far } = world()
    far.answers[0] = Object.assign(new Error('secret details'), { code: 'ECONNREFUSED' })

    expect(await refusalOf(post('http://127.0.0.1/'))).toBe('no connection: ECONNREFUSED')
  })
})

describe('a message over a socket', () => {
  const listening = async (answer: (path: string) => [number, Record<string, string>]) => {
    const heard: string[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        heard.push(`${request.method} ${request.url} ${request.headers['x-test']} ${body}`)
        const [status, headers] = answer(request.url ?? '')
        response.writeHead(status, headers).end('a long answer'.repeat(1000))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return {
      heard,
      url: `http://127.0.0.1:${port}`,
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections()
        server.close()
      },
    }
  }

  it('arrives with its headers; a redirect is not followed', async () => {
    await using server = await listening((path) =>
      path === '/hook' ? [204, {}] : [302, { location: '/hook' }],
    )
    const { post } = createOutbound()
    const { signal } = new AbortController()

    const headers = { 'x-test': 'yes' }
    expect(await post(`${server.url}/hook`, headers, '{"a":1}', signal)).toBe(204)
    expect(await post(`${server.url}/moved`, headers, '{}', signal)).toBe(302)

    expect(server.heard).toEqual(['POST /hook yes {"a":1}', 'POST /moved yes {}'])
  })

  it('is read by GET; a redirect is not followed, and a long answer is refused', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/keys' }).end()
      else if (request.url === '/long') response.end('x'.repeat(65 * 1024))
      else response.end('{"keys":[]}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { get } = createOutbound()
    const { signal } = new AbortController()
    const read = (path: string) => get(`http://127.0.0.1:${port}${path}`, signal)

    expect(await read('/keys')).toEqual({ status: 200, text: '{"keys":[]}' })
    expect(await read('/moved')).toEqual({ status: 302, text: '' })
    expect(await refusalOf(read('/long'))).toBe('the answer is larger than 64 KiB')
    expect(await refusalOf(get('http://10.0.0.1/keys', signal))).toBe(
      'expected an address of this machine',
    )
    server.closeAllConnections()
    server.close()
  })

  it('fails after a timeout', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const { post } = createOutbound({ timeout: 50 })

    const sending = post(`http://127.0.0.1:${port}/`, {}, '', new AbortController().signal)

    expect(await refusalOf(sending)).toBe('no answer in time')
    silent.closeAllConnections()
    silent.close()
  })
})
