import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiError, LumoAuthError, NetworkError } from '../../client/index.ts'
import { redacted } from '../../client/redact.ts'
import { atWork, json, reading, secret } from './world.ts'

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZ2VudCJ9.c2lnbmF0dXJl'

describe('an error', () => {
  it.each([
    [`the token ${jwt} is void`, 'the token [hidden] is void'],
    ['sent Bearer abcdefghijklmnopqrstuvwxyz0', 'sent Bearer [hidden]'],
    ['{"access_token":"abc","x":1}', '{"access_token":"[hidden]","x":1}'],
    ['grant_type=x&client_secret=abc&y', 'grant_type=x&client_secret=[hidden]&y'],
    ['red \u001b[31m alert\r\nSet-Cookie: x', 'red  [31m alert Set-Cookie: x'],
  ])('shows %j as %j', (message, shown) => {
    expect(new LumoAuthError('api_error', message).message).toBe(shown)
  })

  it('leaves text alone that only speaks of such things', () => {
    const text = 'Bearer authentication required: the access token is missing'

    expect(redacted(text)).toBe(text)
  })

  it('shows no secret it was told of, wherever that stands', () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[a-z]{8,20}$/), fc.string(), (a, hide, b) => {
        return !redacted(`${a}${hide}${b}`, [hide]).includes(hide)
      }),
    )
  })

  it('hides tokens in toJSON, inspect, causes and stacks', () => {
    const inner = new Error(`inner ${jwt}`)
    const outer = Object.assign(new TypeError(`outer ${secret}`, { cause: inner }), {
      code: 'E_X',
      request: { authorization: jwt },
    })
    const errors = [
      new NetworkError('no', { cause: outer, secrets: [secret] }),
      new NetworkError('no', { cause: `a text with ${secret}`, secrets: [secret] }),
      new ApiError(
        'GET /',
        { status: 400, serverCode: secret, description: jwt },
        { secrets: [secret] },
      ),
    ]

    for (const error of errors) {
      const shown = [inspect(error, { depth: 9 }), JSON.stringify(error), error.stack].join()
      expect(shown).not.toContain(secret)
      expect(shown).not.toContain(jwt)
    }
  })

  it('says what it is as JSON', () => {
    const error = new ApiError('GET /x', { status: 400, serverCode: 'bad', description: 'so bad' })

    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'ApiError',
      code: 'api_error',
      message: 'GET /x: answered 400 bad: so bad',
      status: 400,
      serverCode: 'bad',
      description: 'so bad',
    })
  })

  it('cuts what a server says at length, but never through a secret', async () => {
    const { world, jit } = await atWork()
    world.on('POST /jit/request', () =>
      json(400, {
        error: 'x',
        error_description: `${'x'.repeat(990)}${secret}${'y'.repeat(5000)}`,
      }),
    )

    const error = await jit.requestPermission(reading('d')).catch((it) => it)

    expect(error.description).toHaveLength(1000)
    expect(error.message).not.toContain(secret.slice(0, 6))
  })
})

describe('an agent and its task', () => {
  it('show no secret when they are logged', async () => {
    const { jit } = await atWork()
    await jit.fetch('https://api.test/v1/documents/doc_1')

    const shown = inspect(jit, { depth: 9, showHidden: true }) + JSON.stringify(jit)

    expect(shown).not.toContain(secret)
    expect(shown).not.toMatch(/-token_/)
  })
})
