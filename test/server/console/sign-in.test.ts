import { describe, expect, it } from 'vitest'
import { createWorld, users } from './world.ts'

describe('signing in to the approvals page', () => {
  it('takes a link that the control plane made', async () => {
    await using world = await createWorld()

    const ada = await world.signedInAs('ada@example.com')

    expect(ada.session).toMatchObject({
      tenant: 'acme',
      user: { name: 'Ada', email: 'ada@example.com' },
      operator: false,
      approvers: [],
    })
  })

  it('takes a link once', async () => {
    await using world = await createWorld()
    const code = await world.codeFor('ada@example.com')
    await world.browser({ code })

    const again = await world.browser({ code })

    expect(again.status).toBe(401)
    expect(again.session.error).toBe('invalid_code')
  })

  it('keeps the code of a link out of what is sent with a request line', async () => {
    await using world = await createWorld()

    const { url } = await world.control('POST /_harness/tenants/acme/console-link', {})

    expect(url).toMatch(/^https:\/\/[^?#]+\/console\/acme#code=[\w-]{32}$/)
  })

  it('makes links only for approvers, and only for the control token', async () => {
    await using world = await createWorld()
    const path = '/_harness/tenants/acme/console-link'

    const forAlice = await world.control(`POST ${path}`, { user: 'alice@example.com' })
    const withoutToken = await world.send(`POST ${path}`, {})

    expect(forAlice.error).toBe('invalid_request')
    expect(withoutToken.status).toBe(401)
  })

  it('takes the control token, and gives its holder any seat', async () => {
    await using world = await createWorld()

    const operator = await world.browser({ control_token: 'the-control-token' })
    const asGrace = await operator.ask('POST /console/acme/session', { user: 'grace@example.com' })

    expect(operator.session).toMatchObject({ operator: true, user: { name: 'Ada' } })
    expect(operator.session.approvers.map(({ name }: { name: string }) => name)).toEqual([
      'Ada',
      'Grace',
    ])
    expect(asGrace.body).toMatchObject({ operator: true, user: { name: 'Grace' } })
  })

  it.each([
    ['a wrong control token', { control_token: 'another' }, 401],
    ['a name alone', { user: 'ada@example.com' }, 401],
    ['a code nobody made', { code: 'x' }, 401],
    ['nothing', {}, 400],
    [
      'an operator who would be somebody that is no approver',
      { control_token: 'the-control-token', user: 'alice@example.com' },
      400,
    ],
  ])('refuses %s', async (_, proof, status) => {
    await using world = await createWorld()

    const refused = await world.browser(proof)

    expect(refused.status).toBe(status)
    expect(refused.headers.get('set-cookie')).toBeNull()
  })

  it('does not let an approver take the seat of another', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')

    const { status, body } = await ada.ask('POST /console/acme/session', {
      user: 'grace@example.com',
    })

    expect([status, body.error]).toEqual([403, 'operator_required'])
  })

  it('hands out a cookie that scripts, other sites and other tenants do not get', async () => {
    await using world = await createWorld()

    const { headers } = await world.signedInAs('ada@example.com')

    const cookie = headers.get('set-cookie') ?? ''
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Secure', 'Path=/console/acme']) {
      expect(cookie.split('; ')).toContain(part)
    }
  })

  it('is over after signing out', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')

    const left = await ada.ask('DELETE /console/acme/session')
    const after = await ada.ask('GET /console/acme/inbox')

    expect([left.status, after.status]).toEqual([204, 401])
  })

  it('outlives a reset of the tenant, but not its end', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')

    await world.control('POST /_harness/tenants/acme/reset')
    const afterReset = await ada.ask('GET /console/acme/session')
    await world.control('DELETE /_harness/tenants/acme')
    await world.control('POST /_harness/tenants', { tenant: 'acme', users })
    const afterEnd = await ada.ask('GET /console/acme/session')

    expect([afterReset.status, afterEnd.status]).toEqual([200, 401])
  })

  it('holds in one tenant only', async () => {
    await using world = await createWorld({
      tenants: [
        { tenant: 'acme', users },
        { tenant: 'other', users },
      ],
    })
    const ada = await world.signedInAs('ada@example.com')

    const { status } = await ada.ask('GET /console/other/inbox')

    expect(status).toBe(401)
  })
})

describe('what the approvals page lets in', () => {
  it('changes nothing for another origin, however it is signed in', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')
    const { requestId, status } = await world.asked()
    const approve = `POST /console/acme/requests/${requestId}/approve`

    const foreign = await ada.ask(approve, {}, { origin: 'https://evil.example' })
    const none = await ada.ask(approve, {}, { origin: 'null' })

    expect([foreign.body.error, none.body.error]).toEqual(['foreign_origin', 'foreign_origin'])
    expect(await status()).toMatchObject({ status: 'pending' })
  })

  it('changes nothing without the token of the session', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')
    const grace = await world.signedInAs('grace@example.com')
    const { requestId } = await world.asked()
    const deny = `POST /console/acme/requests/${requestId}/deny`

    const without = await ada.ask(deny, {}, { 'x-csrf-token': '' })
    const anothers = await ada.ask(deny, {}, { 'x-csrf-token': grace.session.csrf_token })

    expect([without.body.error, anothers.body.error]).toEqual(['csrf', 'csrf'])
  })

  it('does not answer under a name that only resolves here', async () => {
    await using world = await createWorld()

    const { status } = await world.send('GET /console/acme', undefined, { host: 'evil.example' })

    expect(status).toBe(403)
  })

  it('leaves clock and misbehaviours to the holder of the control token', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')
    const operator = await world.signedInAs('ada@example.com', { operator: true })

    const refused = await Promise.all([
      ada.ask('POST /console/acme/clock', { advance: 'PT1M' }),
      ada.ask('GET /console/acme/misbehaviours'),
      ada.ask('POST /console/acme/misbehaviours', { name: 'any' }),
      ada.ask('DELETE /console/acme/misbehaviours/any'),
    ])
    const moved = await operator.ask('POST /console/acme/clock', { advance: 'PT1M' })

    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403])
    expect(moved.status).toBe(200)
  })

  it.each([
    'GET /console/acme/session',
    'GET /console/acme/inbox',
    'GET /console/acme/tasks',
    'GET /console/acme/tasks/task_1',
    'GET /console/acme/journal',
    'GET /console/acme/exchanges',
    'GET /console/acme/events',
  ])('asks who is there before %s', async (line) => {
    await using world = await createWorld()

    const { status } = await world.send(line)

    expect(status).toBe(401)
  })
})

describe('the files of the approvals page', () => {
  it('carry a policy under which no other script runs and nobody frames the page', async () => {
    await using world = await createWorld({ listen: true })

    const { headers } = await world.send('GET /console/acme')

    const policy = headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
  })

  it('are kept by browsers for ever, under a path that names their version', async () => {
    await using world = await createWorld({ listen: true })
    const html = await (await world.send('GET /console/acme')).text()
    const paths = [...html.matchAll(/(?:href|src)="(\/console\/_page[^"]+)"/g)].map(([, it]) => it)

    const files = await Promise.all(paths.map((path) => world.send(`GET ${path}`)))

    expect(paths.length).toBeGreaterThan(3)
    for (const file of files) {
      expect(file.status).toBe(200)
      expect(file.headers.get('cache-control')).toContain('immutable')
    }
  })

  it.each(['../views.ts', '..%2fviews.ts', 'index.html', 'nothing.js'])(
    'do not include %s',
    async (name) => {
      await using world = await createWorld({ listen: true })
      const html = await (await world.send('GET /console/acme')).text()
      const version = /_page\/(\w+)\//.exec(html)?.[1]

      const { status } = await world.send(`GET /console/_page/${version}/${name}`)

      expect(status).toBe(404)
    },
  )

  it('say so when there is no such tenant', async () => {
    await using world = await createWorld()

    const page = await world.send('GET /console/nobody')

    expect(page.status).toBe(404)
    expect(page.headers.get('content-type')).toContain('text/html')
  })

  it('lead to the tenant where there is one, and ask for its name where there are more', async () => {
    await using one = await createWorld()
    await using two = await createWorld({
      tenants: [{ tenant: 'secret-a' }, { tenant: 'secret-b' }],
    })

    const alone = await one.send('GET /console')
    const choice = await two.send('GET /console')
    const chosen = await two.send('GET /console?tenant=secret-a')

    expect([alone.status, alone.headers.get('location')]).toEqual([303, '/console/acme'])
    expect(await choice.text()).not.toContain('secret-')
    expect(chosen.headers.get('location')).toBe('/console/secret-a')
  })
})
