import { describe, expect, it } from 'vitest'
import { violation, violationsOf } from '../../../server/wire/violations.ts'

const error = {
  error: 'not_found',
  error_description: 'no such document',
  message: 'no such document',
  code: 'not_found',
  status: 404,
}

describe('the violations of an answer', () => {
  it('are none of an answer that conforms to its route', () => {
    expect(violationsOf('jit.task.create', 404, error)).toEqual([])
    expect(violationsOf('ssf.stream.delete', 204, undefined)).toEqual([])
  })

  it('are none of a successful answer without a known route', () => {
    expect(violationsOf(undefined, 200, 'anything')).toEqual([])
  })

  it('are those of the schema of errors from 400 on, for each route and for none', () => {
    for (const name of [undefined, 'jit.task.create'] as const) {
      expect(violationsOf(name, 400, { ...error, error: 7 })).toStrictEqual([
        {
          code: 'invalid_type',
          path: ['error'],
          message: expect.stringMatching(/^error: .*expected string/),
          expected: 'string',
          received: 'number',
        },
      ])
    }
    expect(violationsOf(undefined, 399, { error: 7 })).toEqual([])
  })

  it('name the types of what is missing, and of what is not a member', () => {
    const received = (body: unknown) => violationsOf(undefined, 500, body)[0]?.received

    expect(received({})).toBe('undefined')
    expect(received(undefined)).toBe('undefined')
    expect(received(null)).toBe('null')
    expect(received([])).toBe('array')
    expect(received('text')).toBe('string')
    expect(violationsOf(undefined, 500, 'text')[0]?.message).toMatch(/^body: /)
  })

  it('include a status that the route does not have', () => {
    expect(violationsOf('ssf.stream.delete', 299, undefined)).toStrictEqual([
      {
        code: 'status',
        path: [],
        message: 'ssf.stream.delete answers 204, not 299',
        expected: '204',
        received: '299',
      },
    ])
    expect(violationsOf('jit.request', 200, {})[0]).toMatchObject({
      code: 'status',
      expected: '201 or 202',
    })
  })

  it('include a body where there must be none', () => {
    expect(violationsOf('ssf.stream.delete', 204, {})).toStrictEqual([
      {
        code: 'body',
        path: [],
        message: 'ssf.stream.delete 204 must have no body',
        expected: 'no body',
        received: 'object',
      },
    ])
  })

  it('say what was expected: a type, a bound, or one of several values', () => {
    const answer = { request_id: 'jit_1', status: 'unheard-of', ttl: -1 }
    const found = violationsOf('jit.request', 201, answer)

    expect(found.find(({ path }) => path.join('.') === 'status')?.expected).toMatch(/\w+ or \w+/)
    expect(found.every(({ message, path }) => message.startsWith(path.join('.')))).toBe(true)
  })
})

describe('a bound of an answer', () => {
  it.each([
    ['access_token', '', 'at least 1'],
    ['expires_in', -1, 'at least 0'],
  ])('is named: %s', (name, value, expected) => {
    const found = violationsOf('oauth.token', 200, { [name]: value })

    expect(found.find(({ path }) => path[0] === name)).toMatchObject({
      code: 'too_small',
      expected,
    })
  })
})

describe('a violation of the answer as a whole', () => {
  it('has no path', () => {
    expect(violation('json', 'expected JSON')).toStrictEqual({
      code: 'json',
      path: [],
      message: 'expected JSON',
      expected: undefined,
      received: undefined,
    })
    expect(violation('content_type', 'x', 'a', 'b')).toMatchObject({ expected: 'a', received: 'b' })
  })
})
