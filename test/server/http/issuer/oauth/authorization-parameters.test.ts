import { describe, expect, it } from 'vitest'
import type { Seed } from '../../../../support/signed-in.ts'
import { challenge, world } from './world.ts'

const callback = 'https://app.test/callback'
const seed: Seed = {
  applications: [{ name: 'web-app', redirect_uris: [callback] }],
}

const sound = {
  response_type: 'code',
  client_id: 'web-app',
  redirect_uri: callback,
  scope: 'openid',
  state: 'xyz',
  nonce: 'n-1',
  code_challenge: challenge,
  code_challenge_method: 'S256',
  response_mode: 'query',
  prompt: 'login',
  max_age: '60',
  access_type: 'offline',
  login_hint: 'alice@example.com',
  resource: 'https://api.lumoauth.test',
  authorization_details: '[{"type":"file_access","actions":["read"],"identifier":"doc_1"}]',
  requested_actor: 'report-bot',
} as const

/**
 * What an authorization request gets: the consent page; a page with the problem, because the client or
 * its address is not known; or an error code, which the client receives by redirect.
 */
type Outcome = 'consent' | 'problem' | (string & {})

const long = 'x'.repeat(9000)

/** Each parameter: missing, repeated, malformed or too long, and of a value that is unknown. */
const rows: Readonly<
  Record<
    string,
    Readonly<{
      missing?: Outcome
      repeated?: Outcome
      malformed?: readonly [value: string, Outcome]
      unknown?: readonly [value: string, Outcome]
    }>
  >
> = {
  response_type: {
    missing: 'unsupported_response_type',
    malformed: [' ', 'unsupported_response_type'],
    unknown: ['token', 'unsupported_response_type'],
  },
  client_id: {
    missing: 'problem',
    repeated: 'problem',
    malformed: [long, 'problem'],
    unknown: ['unknown-user', 'problem'],
  },
  redirect_uri: {
    missing: 'problem',
    repeated: 'problem',
    malformed: ['/callback', 'problem'],
    unknown: ['https://evil.test/callback', 'problem'],
  },
  scope: {
    missing: 'consent',
    malformed: [long, 'invalid_request'],
    unknown: ['openid root', 'invalid_scope'],
  },
  state: { missing: 'consent', malformed: [long, 'invalid_request'] },
  nonce: { missing: 'consent', malformed: [long, 'invalid_request'] },
  code_challenge: { missing: 'consent', malformed: ['short', 'invalid_request'] },
  code_challenge_method: {
    missing: 'invalid_request',
    malformed: ['s256', 'invalid_request'],
    unknown: ['plain', 'invalid_request'],
  },
  response_mode: {
    missing: 'consent',
    malformed: [' ', 'invalid_request'],
    unknown: ['fragment', 'invalid_request'],
  },
  prompt: {
    missing: 'consent',
    malformed: ['none login', 'login_required'],
    unknown: ['x', 'consent'],
  },
  max_age: { missing: 'consent', malformed: ['soon', 'invalid_request'] },
  access_type: { missing: 'consent', unknown: ['x', 'consent'] },
  login_hint: {
    missing: 'consent',
    malformed: [long, 'invalid_request'],
    unknown: ['unknown-user@example.com', 'consent'],
  },
  resource: {
    missing: 'consent',
    repeated: 'consent',
    malformed: ['/api', 'invalid_target'],
    unknown: ['https://unknown.test', 'invalid_target'],
  },
  authorization_details: {
    missing: 'consent',
    malformed: ['{}', 'invalid_authorization_details'],
  },
  requested_actor: {
    missing: 'consent',
    malformed: [long, 'invalid_request'],
    unknown: ['unknown-user', 'invalid_request'],
  },
  request_uri: {
    malformed: ['https://app.test/request.jwt', 'request_uri_not_supported'],
    unknown: ['urn:ietf:params:oauth:request_uri:unknown', 'invalid_request_uri'],
  },
  request: { malformed: ['x', 'request_not_supported'] },
  registration: { malformed: ['{}', 'registration_not_supported'] },
  // Parameters that are not read are ignored (RFC 6749 §3.1).
  display: { unknown: ['x', 'consent'] },
  ui_locales: { unknown: ['x', 'consent'] },
  acr_values: { unknown: ['x', 'consent'] },
  claims: { unknown: ['{}', 'consent'] },
  id_token_hint: { unknown: ['x', 'consent'] },
  something_else: { unknown: ['x', 'consent'], repeated: 'consent' },
}

type Case = Readonly<{ name: string; how: string; query: URLSearchParams; outcome: Outcome }>

const cases = Object.entries(rows).flatMap(([name, row]): Case[] => {
  const changed = (...values: readonly string[]) => {
    const query = new URLSearchParams(sound)
    query.delete(name)
    for (const value of values) query.append(name, value)
    return query
  }
  const own = (sound as Readonly<Record<string, string>>)[name] ?? 'x'
  const isRead = name in sound
  const { missing, repeated = isRead ? 'invalid_request' : undefined, malformed, unknown } = row
  return [
    ...(missing === undefined ? [] : [{ how: 'missing', query: changed(), outcome: missing }]),
    ...(missing === undefined ? [] : [{ how: 'empty', query: changed(''), outcome: missing }]),
    ...(repeated === undefined
      ? []
      : [{ how: 'repeated', query: changed(own, own), outcome: repeated }]),
    ...(malformed === undefined
      ? []
      : [{ how: 'malformed', query: changed(malformed[0]), outcome: malformed[1] }]),
    ...(unknown === undefined
      ? []
      : [{ how: 'unknown', query: changed(unknown[0]), outcome: unknown[1] }]),
  ].map((it) => ({ name, ...it }))
})

const at = world(seed)

describe.each(['GET', 'POST'])('an authorization request by %s', (method) => {
  const ask = (query: URLSearchParams) =>
    method === 'GET'
      ? at.request.get(`/oauth/authorize?${query}`)
      : at.request.post('/oauth/authorize').type('form').send(query.toString())

  it('with all parameters shows the consent page', async () => {
    const { status, text } = await ask(new URLSearchParams(sound))

    expect([status, text.includes('Sign in to allow web-app')]).toEqual([200, true])
  })

  it.each(cases)('with $name $how: $outcome', async ({ query, name, how, outcome }) => {
    const { status, headers, text } = await ask(query)

    if (outcome === 'consent' || outcome === 'problem') {
      expect([status, headers.location]).toEqual([outcome === 'consent' ? 200 : 400, undefined])
      expect(headers['content-type']).toMatch(/^text\/html/)
      expect(text.includes('<form')).toBe(outcome === 'consent')
      return
    }
    const { origin, pathname, searchParams } = new URL(headers.location ?? 'about:blank')
    expect([status, origin + pathname]).toEqual([302, callback])
    expect(searchParams.get('error')).toBe(outcome)
    expect(searchParams.get('error_description')).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
    expect(searchParams.get('iss')).toBe(at.tenant.urls.tenant)
    const isStateKnown = name !== 'state' || how === 'missing' || how === 'empty'
    expect(searchParams.get('state')).toBe(isStateKnown && query.get('state') ? 'xyz' : null)
  })
})

describe('an authorization request by PAR', () => {
  const push = (query: URLSearchParams) => {
    const { client_secret = '' } = at.tenant.applications[0] ?? {}
    query.append('client_secret', client_secret)
    return at.request.post('/oauth/par').type('form').send(query.toString())
  }

  it.each(cases)('with $name $how: $outcome', async ({ query, name, how, outcome }) => {
    const { status, body } = await push(query)

    expect([status, body.error ?? 'consent']).toEqual(expected(name, how, outcome))
  })

  /** The client reads the answer itself, and `request_uri` is not for this endpoint (RFC 9126 §2.1). */
  const expected = (name: string, how: string, outcome: Outcome) => {
    if (outcome === 'consent') return [201, 'consent']
    if (name === 'client_id')
      return how === 'repeated' ? [400, 'invalid_request'] : [401, 'invalid_client']
    if (outcome === 'problem' || name === 'request_uri') return [400, 'invalid_request']
    if (how === 'repeated' && name === 'authorization_details')
      return [400, 'invalid_authorization_details']
    return [400, outcome]
  }
})

it('prints what each parameter gets', () => {
  const hows = ['missing', 'repeated', 'malformed', 'unknown']
  const line = (name: string) =>
    hows.map((how) => cases.find((it) => it.name === name && it.how === how)?.outcome ?? '')

  const table = Object.keys(rows).map((name) => [name, ...line(name)])

  console.log(
    [['', ...hows], ...table].map((it) => it.map((cell) => cell.padEnd(30)).join('')).join('\n'),
  )
  expect(cases.length).toBeGreaterThan(60)
})

it('sends a refusal of a secret in the URI to the client, and without one a page to the person', async () => {
  const query = new URLSearchParams(sound)
  query.append('client_secret', 'x')
  const known = await at.request.get(`/oauth/authorize?${query}`)
  query.delete('client_id')
  const unknown = await at.request.get(`/oauth/authorize?${query}`)

  expect(known.headers.location).toMatch(/^https:\/\/app\.test\/callback\?error=invalid_request&/)
  expect([unknown.status, unknown.headers['content-type']]).toEqual([
    400,
    'text/html; charset=utf-8',
  ])
})

it('shows every other refusal of a page as a page', async () => {
  const limited = world({ rate_limits: { authorize: { limit: 1 } } })
  await limited.request.get('/oauth/authorize')
  const answers = [
    await limited.request.get('/oauth/authorize'),
    await at.request.post('/oauth/authorize').type('form').send({ decision: 'perhaps' }),
    await at.request.post('/oauth/authorize').send({ client_id: 'web-app' }),
    await at.request.get('/oauth/logout?state=a&state=b'),
    await at.request.get(`/oauth/device?user_code=${long}`),
  ]

  expect(answers.map(({ status }) => status)).toEqual([429, 400, 400, 400, 400])
  for (const { headers } of answers) expect(headers['content-type']).toMatch(/^text\/html/)
  expect(answers[0]?.headers['retry-after']).toBeDefined()
})
