import { describe, expect, it } from 'vitest'
import { api, atWork, challenge, elsewhere, reading, type World } from './world.ts'

const redirect = (status: number, location: string) => () =>
  new Response('moved', { status, headers: { location } })

const last = (world: World) => world.received.at(-1)

const doc = `${api}/v1/documents/doc_1`

describe('a redirect to another origin', () => {
  it('is followed without the JIT token', async () => {
    const { world, jit } = await atWork()
    await jit.fetch(doc)
    world.on('GET /v1/documents/doc_1', redirect(302, `${elsewhere}/file`))

    const response = await jit.fetch(doc)

    expect(await response.text()).toBe('elsewhere')
    expect(world.to('GET /v1/documents/doc_1').at(-1)).toMatchObject({
      token: expect.stringMatching(/^jit-token/),
      redirect: 'manual',
    })
    expect(last(world)).toMatchObject({ token: undefined, line: 'GET /file' })
  })

  it('carries no cookie, key or other header of the caller', async () => {
    const { world, jit } = await atWork()
    world.on('GET /v1/a', redirect(307, `${elsewhere}/file`))

    await jit.fetch(`${api}/v1/a`, {
      headers: { accept: 'text/plain', 'x-api-key': 'k', cookie: 'c=1' },
    })

    expect(last(world)?.headers.get('accept')).toBe('text/plain')
    expect(last(world)?.headers.has('x-api-key')).toBe(false)
    expect(last(world)?.headers.has('cookie')).toBe(false)
  })

  it('is followed without a token, even if that origin is in origins', async () => {
    const { world, jit } = await atWork({ origins: [api, elsewhere] })
    world.on('GET /v1/a', redirect(302, `${elsewhere}/file`))

    await jit.fetch(`${api}/v1/a`)

    expect(last(world)?.token).toBeUndefined()
  })

  it('returns a challenge of that origin like any other response', async () => {
    const { world, jit } = await atWork({ allow: () => true })
    world.on('GET /v1/a', redirect(302, `${elsewhere}/file`))
    world.on('GET /file', () => challenge(reading('file')))

    const response = await jit.fetch(`${api}/v1/a`)

    expect(response.status).toBe(403)
    expect(world.to('POST /jit/request')).toEqual([])
  })

  it('sends no token after it returns', async () => {
    const { world, jit } = await atWork()
    world.on('GET /v1/a', redirect(302, `${elsewhere}/file`))
    world.on('GET /file', redirect(302, `${api}/v1/b`))

    const response = await jit.fetch(`${api}/v1/a`)

    expect(response.status).toBe(401)
    expect(last(world)).toMatchObject({ line: 'GET /v1/b', token: undefined })
  })

  it.each([307, 308])(
    'throws redirect_refused when a %i would send the body there',
    async (status) => {
      const { world, jit } = await atWork()
      world.on('POST /v1/a', redirect(status, `${elsewhere}/file`))

      await expect(jit.fetch(`${api}/v1/a`, { method: 'POST', body: 'x' })).rejects.toMatchObject({
        code: 'redirect_refused',
      })

      expect(last(world)?.url.origin).toBe(api)
    },
  )

  it.each(['http://api.test/v1/b', 'file:///etc/passwd', 'javascript:1', 'https://[bad'])(
    'throws redirect_refused when it leads to %s',
    async (location) => {
      const { world, jit } = await atWork()
      world.on('GET /v1/a', redirect(302, location))

      await expect(jit.fetch(`${api}/v1/a`)).rejects.toMatchObject({ code: 'redirect_refused' })
    },
  )
})

describe('a redirect within the origin', () => {
  it.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [303, 'HEAD', 'HEAD', ''],
    [301, 'PUT', 'PUT', 'x'],
    [307, 'POST', 'POST', 'x'],
    [308, 'DELETE', 'DELETE', 'x'],
  ])('of %i turns %s into %s', async (status, method, becomes, text) => {
    const { world, jit } = await atWork()
    world.on(`${method} /v1/a`, redirect(status, '/v1/b'))

    await jit.fetch(`${api}/v1/a`, {
      method,
      headers: { 'content-type': 'text/x-mine', 'x-mine': 'kept' },
      ...(method === 'HEAD' ? {} : { body: 'x' }),
    })

    expect(last(world)).toMatchObject({ line: `${becomes} /v1/b`, text })
    expect(last(world)?.token).toMatch(/^wide-token/)
    expect(last(world)?.headers.get('x-mine')).toBe('kept')
    expect(last(world)?.headers.has('content-type')).toBe(text !== '' || method === 'HEAD')
  })

  it('escalates at its target, and does not repeat the calls before it', async () => {
    const { world, jit } = await atWork()
    world.on('POST /v1/a', redirect(303, '/v1/documents/doc_1'))

    const response = await jit.fetch(`${api}/v1/a`, { method: 'POST', body: 'x' })

    expect(response.status).toBe(200)
    expect(world.to('POST /v1/a')).toHaveLength(1)
    expect(world.to('GET /v1/documents/doc_1')).toHaveLength(2)
  })

  it('keeps a new JIT token', async () => {
    const { world, jit } = await atWork()
    world.once(
      'GET /v1/documents/doc_1',
      () => challenge(reading('doc_1')),
      redirect(302, '/v1/documents/doc_1/'),
    )

    const response = await jit.fetch(doc)

    expect(response.status).toBe(200)
    expect(last(world)?.token).toMatch(/^jit-token/)
  })

  it('escalates once in all', async () => {
    const { world, jit } = await atWork()
    world.once(
      'GET /v1/documents/doc_1',
      () => challenge(reading('doc_1')),
      redirect(302, '/v1/documents/doc_2'),
    )

    const response = await jit.fetch(doc)

    expect(response.status).toBe(403)
    expect(world.to('POST /jit/request')).toHaveLength(1)
  })

  it('throws redirect_refused above the limit', async () => {
    const { world, jit } = await atWork({ redirects: 3 })
    world.on('GET /v1/a', redirect(302, '/v1/a'))

    await expect(jit.fetch(`${api}/v1/a`)).rejects.toMatchObject({ code: 'redirect_refused' })

    expect(world.to('GET /v1/a')).toHaveLength(4)
  })

  it('without Location is returned', async () => {
    const { world, jit } = await atWork()
    world.on('GET /v1/a', () => new Response(null, { status: 302 }))

    expect((await jit.fetch(`${api}/v1/a`)).status).toBe(302)
  })
})

describe('the redirect option', () => {
  it('manual returns the redirect', async () => {
    const { world, jit } = await atWork()
    world.on('GET /v1/a', redirect(302, `${elsewhere}/file`))

    expect((await jit.fetch(`${api}/v1/a`, { redirect: 'manual' })).status).toBe(302)
  })

  it('error throws redirect_refused', async () => {
    const { world, jit } = await atWork()
    world.on('GET /v1/a', redirect(302, '/v1/b'))

    await expect(jit.fetch(`${api}/v1/a`, { redirect: 'error' })).rejects.toMatchObject({
      code: 'redirect_refused',
    })
  })

  it('throws redirect_refused when the fetch hides the target', async () => {
    const { world, jit } = await atWork()
    world.on('GET /v1/a', () =>
      Object.defineProperty(new Response(), 'type', { value: 'opaqueredirect' }),
    )

    await expect(jit.fetch(`${api}/v1/a`)).rejects.toMatchObject({ code: 'redirect_refused' })
  })
})
