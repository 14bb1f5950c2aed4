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

    const { url } = (await world.control.post('/_harness/tenants/acme/console-link').send({})).body

    expect(url).toMatch(/^https:\/\/[^?#]+\/console\/acme#code=[\w-]{32}$/)
  })

  it('makes links only for approvers, and only for the control token', async () => {
    await using world = await createWorld()
    const path = '/_harness/tenants/acme/console-link'

    const forAlice = (await world.control.post(path).send({ user: 'alice@example.com' })).body
    const withoutToken = await world.request.post(path).send({})

    expect(forAlice.error).toBe('invalid_request')
    expect(withoutToken.status).toBe(401)
  })

  it('takes the control token, and gives its holder any seat', async () => {
    await using world = await createWorld()

    const operator = await world.browser({ control_token: 'the-control-token' })
    const asGrace = await operator.request
      .post('/console/acme/session')
      .send({ user: 'grace@example.com' })

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
    expect(refused.headers['set-cookie']).toBeUndefined()
  })

  it('does not let an approver take the seat of another', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')

    const { status, body } = await ada.request.post('/console/acme/session').send({
      user: 'grace@example.com',
    })

    expect([status, body.error]).toEqual([403, 'operator_required'])
  })

  it('hands out a cookie that scripts, other sites and other tenants do not get', async () => {
    await using world = await createWorld()

    const { headers } = await world.signedInAs('ada@example.com')

    const cookie: string = headers['set-cookie']?.[0] ?? ''
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Secure', 'Path=/console/acme']) {
      expect(cookie.split('; ')).toContain(part)
    }
  })

  it('is over after signing out', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')

    const left = await ada.request.delete('/console/acme/session')
    const after = await ada.request.get('/console/acme/inbox')

    expect([left.status, after.status]).toEqual([204, 401])
  })

  it('outlives a reset of the tenant, but not its end', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')

    await world.control.post('/_harness/tenants/acme/reset')
    const afterReset = await ada.request.get('/console/acme/session')
    await world.control.delete('/_harness/tenants/acme')
    await world.control.post('/_harness/tenants').send({ tenant: 'acme', users })
    const afterEnd = await ada.request.get('/console/acme/session')

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

    const { status } = await ada.request.get('/console/other/inbox')

    expect(status).toBe(401)
  })
})

describe('what the approvals page lets in', () => {
  it('changes nothing for another origin, however it is signed in', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')
    const { requestId, status } = await world.asked()
    const approve = `/console/acme/requests/${requestId}/approve`

    const foreign = await ada.request.post(approve).set({ origin: 'https://evil.example' }).send({})
    const none = await ada.request.post(approve).set({ origin: 'null' }).send({})

    expect([foreign.body.error, none.body.error]).toEqual(['foreign_origin', 'foreign_origin'])
    expect(await status()).toMatchObject({ status: 'pending' })
  })

  it('changes nothing without the token of the session', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')
    const grace = await world.signedInAs('grace@example.com')
    const { requestId } = await world.asked()
    const deny = `/console/acme/requests/${requestId}/deny`

    const without = await ada.request.post(deny).set({ 'x-csrf-token': '' }).send({})
    const anothers = await ada.request
      .post(deny)
      .set({ 'x-csrf-token': grace.session.csrf_token })
      .send({})

    expect([without.body.error, anothers.body.error]).toEqual(['csrf', 'csrf'])
  })

  it('does not answer under a name that only resolves here', async () => {
    await using world = await createWorld()

    const { status } = await world.request.get('/console/acme').set({ host: 'evil.example' })

    expect(status).toBe(403)
  })

  it('leaves clock and misbehaviours to the holder of the control token', async () => {
    await using world = await createWorld()
    const ada = await world.signedInAs('ada@example.com')
    const operator = await world.signedInAs('ada@example.com', { operator: true })

    const refused = await Promise.all([
      ada.request.post('/console/acme/clock').send({ advance: 'PT1M' }),
      ada.request.get('/console/acme/misbehaviours'),
      ada.request.post('/console/acme/misbehaviours').send({ name: 'any' }),
      ada.request.delete('/console/acme/misbehaviours/any'),
    ])
    const moved = await operator.request.post('/console/acme/clock').send({ advance: 'PT1M' })

    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403])
    expect(moved.status).toBe(200)
  })

  it.each([
    '/console/acme/session',
    '/console/acme/inbox',
    '/console/acme/tasks',
    '/console/acme/tasks/task_1',
    '/console/acme/journal',
    '/console/acme/exchanges',
    '/console/acme/events',
  ])('asks who is there before GET %s', async (path) => {
    await using world = await createWorld()

    await world.request.get(path).expect(401)
  })
})

describe('the files of the approvals page', () => {
  it('carry a policy under which no other script runs and nobody frames the page', async () => {
    await using world = await createWorld({ listen: true })

    const { headers } = await world.request.get('/console/acme')

    const policy = headers['content-security-policy']
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
  })

  it('are kept by browsers for ever, under a path that names their version', async () => {
    await using world = await createWorld()
    const { text: html } = await world.request.get('/console/acme')
    const paths = [...html.matchAll(/(?:href|src)="(\/console\/_page[^"]+)"/g)].map(
      ([, it = '']) => it,
    )

    const files = await Promise.all(paths.map((path) => world.request.get(path)))

    expect(paths.length).toBeGreaterThan(3)
    for (const file of files) {
      expect(file.status).toBe(200)
      expect(file.headers['cache-control']).toContain('immutable')
    }
  })

  it.each(['../views.ts', '..%2fviews.ts', 'index.html', 'nothing.js'])(
    'do not include %s',
    async (name) => {
      await using world = await createWorld()
      const { text: html } = await world.request.get('/console/acme')
      const version = /_page\/(\w+)\//.exec(html)?.[1]

      const { status } = await world.request.get(`/console/_page/${version}/${name}`)

      expect(status).toBe(404)
    },
  )

  it('say so when there is no such tenant', async () => {
    await using world = await createWorld()

    const page = await world.request.get('/console/nobody')

    expect(page.status).toBe(404)
    expect(page.headers['content-type']).toContain('text/html')
  })

  it('lead to the only tenant, and name no tenant where the issuer is not on loopback', async () => {
    await using one = await createWorld()
    await using two = await createWorld({
      tenants: [{ tenant: 'secret-a' }, { tenant: 'secret-b' }],
    })

    const alone = await one.request.get('/console')
    const choice = await two.request.get('/console')
    const chosen = await two.request.get('/console?tenant=secret-a')

    expect([alone.status, alone.headers.location]).toEqual([303, '/console/acme'])
    expect(choice.text).not.toContain('secret-')
    expect(chosen.headers.location).toBe('/console/secret-a')
  })
})
