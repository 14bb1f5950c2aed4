import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { supertest } from '../../support/supertest.ts'
import { eventually, failing, openWorld, passing, signIn } from './world.ts'

/** The first test loads the mock, and the machine may be busy. */
vi.setConfig({ testTimeout: 30_000 })

describe('the sign-in of the page for the suite', () => {
  it('opens with a link once', async () => {
    await using world = await openWorld()
    const { origin } = world.ui
    const code = world.ui.link().split('#code=')[1]
    const open = () => supertest(origin).post('/api/session').set('origin', origin).send({ code })

    const opened = await open().expect(200)
    expect(opened.get('set-cookie')?.[0]).toMatch(/; HttpOnly; SameSite=Strict$/)
    await open().expect(401, /the link is used, expired or unknown/)
  })

  it.each(['/api/state', '/api/session', '/api/events', '/api/report.html'])(
    'refuses GET %s without the cookie of a session',
    async (path) => {
      await using world = await openWorld()

      await supertest(world.ui.origin).get(path).expect(401)
    },
  )

  it('refuses a request that changes something without the token of the session', async () => {
    await using world = await openWorld()
    const { origin } = world.ui
    const { cookie } = await signIn(world.ui)

    await supertest(origin)
      .post('/api/runs')
      .set({ cookie, origin })
      .send({ ids: ['x'] })
      .expect(403, /X-CSRF-Token/)
  })

  it.each(['https://evil.example', 'http://127.0.0.1:1', 'null'])(
    'refuses the foreign Origin %s, also with cookie and token',
    async (foreign) => {
      await using world = await openWorld()
      const { cookie, csrf } = await signIn(world.ui)
      const headers = { cookie, origin: foreign, 'x-csrf-token': csrf }

      await supertest(world.ui.origin)
        .post('/api/runs')
        .set(headers)
        .send({ ids: ['x'] })
        .expect(403, /does not accept this Origin/)
      await supertest(world.ui.origin).get('/api/state').set(headers).expect(403)
    },
  )

  it('refuses another Host, which would be DNS rebinding', async () => {
    await using world = await openWorld()

    await supertest(world.ui.origin)
      .get('/')
      .set('host', 'evil.example')
      .expect(403, /does not accept this Host/)
  })
})

describe('the files of the page for the suite', () => {
  it('carries the policy of the approvals page', async () => {
    await using world = await openWorld()

    const { headers } = await supertest(world.ui.origin).get('/').expect(200)

    expect(headers['content-security-policy']).toBe(
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none';require-trusted-types-for 'script';trusted-types 'none'",
    )
    expect(headers['x-frame-options']).toBe('DENY')
  })

  it('serves everything that the page names', async () => {
    await using world = await openWorld()
    const { text } = await supertest(world.ui.origin).get('/')
    const names = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, it]) => it ?? '')

    expect(names.length).toBeGreaterThan(3)
    for (const name of names) await supertest(world.ui.origin).get(name).expect(200)
  })

  it.each([
    '/_page/scenarios/ui/page/../app.ts',
    '/_page/scenarios/ui/page/..%2fapp.ts',
    '/_page/scenarios/ui/page/%2e%2e/%2e%2e/%2e%2e/package.json',
    '/_page/package.json',
    '/_page/scenarios/ui/app.ts',
    '/api/scenarios/..%2f..%2f..%2fetc%2fpasswd',
    '/api/scenarios/%2fetc%2fpasswd',
    '/api/scenarios/refused.yaml',
  ])('refuses the path %s', async (path) => {
    await using world = await openWorld()
    const { cookie } = await signIn(world.ui)

    const { status, text } = await supertest(world.ui.origin).get(path).set('cookie', cookie)

    expect([403, 404]).toContain(status)
    expect(text).not.toMatch(/import|root:|"name"/)
  })

  it('neither reads nor writes through a link, nor outside of its folders', async () => {
    await using world = await openWorld({ 'refused.yaml': passing() })
    const outside = join(world.folder, '..', 'outside.yaml')
    writeFileSync(outside, passing('A file that is not of this session'))
    symlinkSync(outside, join(world.folder, 'link.yaml'))
    await using other = await openWorld(
      {},
      {
        roots: [world.folder],
        list: () => [join(world.folder, 'link.yaml'), outside, join(world.folder, 'refused.yaml')],
      },
    )
    const { call } = await signIn(other.ui)

    const { body } = await call('GET', '/state')

    expect(body.items.map((it: { title: string }) => it.title)).toEqual([
      'A document is refused to an agent without a permission',
    ])
  })

  it('does not write a file that has become a link since it was listed', async () => {
    await using world = await openWorld()
    const { call, item } = await signIn(world.ui)
    const { id, title } = await item('A document is refused to an agent without a permission')
    const { body } = await call('GET', `/scenarios/${id}`)
    const outside = join(world.folder, '..', 'outside.yaml')
    writeFileSync(outside, body.text)
    const { renameSync } = await import('node:fs')
    renameSync(join(world.folder, 'refused.yaml'), join(world.folder, 'was.yaml'))
    symlinkSync(outside, join(world.folder, 'refused.yaml'))

    const saved = await call('PUT', `/scenarios/${id}`, {
      text: failing,
      version: body.version,
    })

    expect(title).toBeDefined()
    expect(saved.status).toBe(404)
    expect(saved.body.error_description).toMatch(/link|no such scenario/)
  })
})

describe('editing on the page for the suite', () => {
  const opened = async () => {
    const world = await openWorld()
    const browser = await signIn(world.ui)
    const { id } = await browser.item('A document is refused to an agent without a permission')
    const { body } = await browser.call('GET', `/scenarios/${id}`)
    return {
      ...world,
      ...browser,
      id,
      opened: body as { text: string; version: string },
      [Symbol.asyncDispose]: world[Symbol.asyncDispose],
    }
  }

  it('saves a text, and its new version can be saved again', async () => {
    await using it = await opened()

    const saved = await it.call('PUT', `/scenarios/${it.id}`, {
      text: failing,
      version: it.opened.version,
    })
    const again = await it.call('PUT', `/scenarios/${it.id}`, {
      text: passing(),
      version: saved.body.version,
    })

    expect([saved.status, again.status]).toEqual([200, 200])
    expect(it.read('refused.yaml')).toBe(passing())
  })

  it('answers 409 with the text on disk where the file has changed meanwhile, and writes nothing', async () => {
    await using it = await opened()
    const elsewhere = passing('A title that an editor wrote meanwhile')
    it.write('refused.yaml', elsewhere)

    const saved = await it.call('PUT', `/scenarios/${it.id}`, {
      text: failing,
      version: it.opened.version,
    })

    expect(saved.status).toBe(409)
    expect(saved.body).toMatchObject({ error: 'edit_conflict', text: elsewhere })
    expect(it.read('refused.yaml')).toBe(elsewhere)
    const chosen = await it.call('PUT', `/scenarios/${it.id}`, {
      text: failing,
      version: saved.body.version,
    })
    expect(chosen.status).toBe(200)
  })

  it('tells the mistakes of a text at line and column', async () => {
    await using it = await opened()

    const { body } = await it.call('POST', `/scenarios/${it.id}/check`, {
      text: it.opened.text.replace('call:', 'cal:'),
    })

    expect(body.problems).toEqual([
      expect.objectContaining({ line: 4, column: 5, severity: 'error' }),
    ])
    expect(body.problems[0].message).toMatch(/unknown action "cal".*call/)
  })

  it('warns of a rule that does not exist, and of a title that another file has', async () => {
    await using world = await openWorld({
      'one.yaml': passing(),
      'two.yaml': failing,
    })
    const { call, item } = await signIn(world.ui)
    const { id } = await item('A document is open to every agent')

    const { body } = await call('POST', `/scenarios/${id}/check`, {
      text: passing().replace('LUMO-CHALLENGE-1', 'LUMO-NONE'),
    })

    expect(body.problems.map((it: { message: string }) => it.message)).toEqual([
      expect.stringContaining('this is also the title of'),
      'there is no rule LUMO-NONE',
    ])
  })

  it('notices a change on disk, and a file that disappears', async () => {
    await using it = await opened()
    const { rmSync } = await import('node:fs')

    it.write('refused.yaml', failing)
    await eventually(async () => (await it.item('A document is open to every agent'))?.id).toBe(
      it.id,
    )
    rmSync(join(it.folder, 'refused.yaml'))
    await eventually(async () => (await it.call('GET', '/state')).body.items.length).toBe(0)
  })

  it('refuses a file of the package where it is installed, with the reason', async () => {
    await using world = await openWorld(undefined, { locked: () => 'belongs to the package' })
    const { call, item } = await signIn(world.ui)
    const { id, version } = await item('A document is refused to an agent without a permission')

    const saved = await call('PUT', `/scenarios/${id}`, { text: failing, version })

    expect(saved).toMatchObject({
      status: 404,
      body: { error_description: 'belongs to the package' },
    })
    expect(world.read('refused.yaml')).toBe(passing())
  })
})
