import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ApiError,
  ApprovalPendingError,
  ApprovalTimeoutError,
  AuthenticationError,
  BodyNotReplayableError,
  CompletionError,
  ConfigError,
  DeadlineExceededError,
  EscalationRefusedError,
  InvalidAnswerError,
  LumoAuthError,
  NetworkError,
  NoTaskError,
  NotFoundError,
  OpeningError,
  PermissionDeniedError,
  RateLimitedError,
  RedirectRefusedError,
  TaskOpenError,
  UnavailableError,
} from '../../client/errors.ts'
import { redact } from '../../client/redact.ts'
import { atWork, json, reading, secret, signedUp } from './world.ts'

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

  const refusal = { status: 418 }
  it.each<[LumoAuthError, string, string, string]>([
    [new LumoAuthError('api_error', 'no'), 'LumoAuthError', 'api_error', 'no'],
    [new ConfigError('no'), 'ConfigError', 'config_error', 'no'],
    [new NetworkError('no'), 'NetworkError', 'network_error', 'no'],
    [
      new DeadlineExceededError('GET /', 5),
      'DeadlineExceededError',
      'deadline_exceeded',
      'GET /: no answer within 5 s',
    ],
    [new InvalidAnswerError('no'), 'InvalidAnswerError', 'invalid_answer', 'no'],
    [
      new ApprovalPendingError('jit_1', { type: 'x' }),
      'ApprovalPendingError',
      'approval_pending',
      'jit_1 waits for approval',
    ],
    [
      new OpeningError('a task', {}),
      'OpeningError',
      'opening_unknown',
      'a task: the task may be open, because the issuer’s answer did not arrive',
    ],
    [new ApiError('GET /', refusal), 'ApiError', 'api_error', 'GET /: answered 418'],
    [
      new ApiError('GET /', { ...refusal, description: 'so bad' }),
      'ApiError',
      'api_error',
      'GET /: answered 418 so bad',
    ],
    [
      new AuthenticationError('GET /', refusal),
      'AuthenticationError',
      'authentication_error',
      'GET /: answered 418',
    ],
    [
      new PermissionDeniedError('GET /', refusal),
      'PermissionDeniedError',
      'permission_denied',
      'GET /: answered 418',
    ],
    [new NotFoundError('GET /', refusal), 'NotFoundError', 'not_found', 'GET /: answered 418'],
    [
      new RateLimitedError('GET /', refusal),
      'RateLimitedError',
      'rate_limited',
      'GET /: answered 418',
    ],
    [
      new UnavailableError('GET /', refusal),
      'UnavailableError',
      'api_error',
      'GET /: answered 418',
    ],
    [new NoTaskError('no'), 'NoTaskError', 'no_task', 'no'],
    [
      new TaskOpenError('task_1'),
      'TaskOpenError',
      'task_open',
      'complete task_1 before opening another',
    ],
    [
      new TaskOpenError(undefined),
      'TaskOpenError',
      'task_open',
      'complete the task being opened before opening another',
    ],
    [
      new ApprovalTimeoutError('jit_1', 60),
      'ApprovalTimeoutError',
      'approval_timeout',
      'jit_1: not decided within 60 s',
    ],
    [
      new EscalationRefusedError('denied', reading('d'), 'no'),
      'EscalationRefusedError',
      'escalation_refused',
      'no',
    ],
    [
      new CompletionError('task_1', {}),
      'CompletionError',
      'completion_failed',
      'task_1 could not be completed; its tokens stay valid until they expire',
    ],
    [new BodyNotReplayableError('no'), 'BodyNotReplayableError', 'body_not_replayable', 'no'],
    [new RedirectRefusedError('no'), 'RedirectRefusedError', 'redirect_refused', 'no'],
  ])('has a name and a code: %s', (error, name, code, message) => {
    expect(error).toMatchObject({ name, code, message })
    expect(error).not.toHaveProperty('cause')
    expect(String(error)).toBe(`${name}: ${message}`)
  })

  it('keeps name, code, message, stack and causes of its causes', () => {
    const inner = new RangeError('inner')
    const outer = Object.assign(new TypeError('outer', { cause: inner }), { code: 'E_X' })

    const { cause } = new NetworkError('no', { cause: outer })

    expect(cause).toMatchObject({
      name: 'TypeError',
      code: 'E_X',
      message: 'outer',
      stack: outer.stack,
      cause: { name: 'RangeError', message: 'inner' },
    })
    expect((cause as Error).cause).not.toHaveProperty('cause')
    expect((cause as Error).cause).not.toHaveProperty('code')
    expect(
      new NetworkError('no', { cause: Object.assign(inner, { code: 7 }) }).cause,
    ).not.toHaveProperty('code')
  })

  it('keeps a cause that is one of our errors unchanged', () => {
    const cause = new ConfigError('inner')

    expect(new NetworkError('no', { cause }).cause).toBe(cause)
  })

  it('hides the longer of two secrets with the same beginning, and ignores empty secrets', () => {
    expect(redact('x secret-long y', ['', 'secret', 'secret-long'])).toBe('x [hidden] y')
    expect(redact('Bearer   abcdefghijklmnopqrstuvwxyz0')).toBe('Bearer [hidden]')
  })

  it('keeps text that only mentions bearer tokens', () => {
    const text = 'Bearer authentication required: the access token is missing'

    expect(redact(text)).toBe(text)
  })

  it('hides every known secret, wherever it stands', () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[a-z]{8,20}$/), fc.string(), (a, hide, b) => {
        expect(redact(`${a}${hide}${b}`, [hide])).not.toContain(hide)
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

  it('has a JSON form', () => {
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

  it('truncates a long server message, but never in the middle of a secret', async () => {
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

describe('an error response of the issuer', () => {
  it.each([400, 401, 403, 404, 429, 503])('with %i shows no secret it echoes', async (status) => {
    const { world, agent } = signedUp()
    world.on('POST /oauth/token', () => json(status, { error: `${secret} is wrong` }))

    const error = await agent.authenticate().catch((it) => it)

    expect(error).toMatchObject({ status, serverCode: '[hidden] is wrong' })
    expect(error.message).not.toContain(secret)
  })

  it.each([400, 401, 403, 404, 429, 503])('with %i shows no token it echoes', async (status) => {
    const { world, jit } = await atWork()
    world.on('POST /jit/request', ({ token }) => json(status, { error: `not with ${token}` }))

    const error = await jit.requestPermission(reading('d')).catch((it) => it)

    expect(error).toMatchObject({ status, serverCode: 'not with [hidden]' })
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
