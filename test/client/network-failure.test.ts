import { describe, expect, it } from 'vitest'
import { ConfigError, NetworkError } from '../../client/errors.ts'
import { isNetworkFailure, toFetchError } from '../../client/network-failure.ts'

const withCode = (error: Error, code: unknown) => Object.assign(error, { code })

describe('an error of fetch', () => {
  it.each<[string, unknown]>([
    [
      'a TypeError with a cause, of Node',
      new TypeError('fetch failed', { cause: new Error('no') }),
    ],
    ['a TypeError with a code, of Bun', withCode(new TypeError('failed'), 'ConnectionRefused')],
    ['another error with a code, of undici', withCode(new Error('closed'), 'UND_ERR_SOCKET')],
    ['another error with a code of Node', withCode(new Error('closed'), 'ERR_STREAM_CLOSED')],
    ['an AbortError', new DOMException('aborted', 'AbortError')],
    ['a NetworkError', new DOMException('failed', 'NetworkError')],
    ['a TimeoutError', new DOMException('late', 'TimeoutError')],
  ])('is a failure of the network: %s', (_, error) => {
    expect(isNetworkFailure(error)).toBe(true)
  })

  it.each<[string, unknown]>([
    ['a TypeError about an argument', withCode(new TypeError('no'), 'ERR_INVALID_ARG_TYPE')],
    ['a TypeError alone', new TypeError('undefined is not a function')],
    ['a TypeError whose code is a number', withCode(new TypeError('no'), 20)],
    ['another error', new Error('a bug', { cause: new Error('refused') })],
    ['another DOMException', new DOMException('no', 'DataCloneError')],
    ['an error of the client', new ConfigError('no')],
    ['nothing', undefined],
    ['null', null],
    ['a text', 'AbortError'],
  ])('is not a failure of the network: %s', (_, error) => {
    expect(isNetworkFailure(error)).toBe(false)
  })

  it('is replaced by a NetworkError when the network failed', () => {
    const cause = new TypeError('fetch failed', { cause: new Error('refused') })

    const error = toFetchError(cause, 'the API could not be reached')

    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ message: expect.stringContaining('could not be reached'), cause })
  })

  it('stays as it is otherwise, unless its text contains a secret', () => {
    const bug = new Error('cannot read the token s3cr3t-value')

    expect(toFetchError(bug, 'failed')).toBe(bug)
    expect(toFetchError(bug, 'failed', ['another-secret'])).toBe(bug)
    expect(toFetchError('s3cr3t-value', 'failed', ['s3cr3t-value'])).toBe('s3cr3t-value')
    const replaced = toFetchError(bug, 'failed', ['s3cr3t-value'])
    expect(replaced).toBeInstanceOf(NetworkError)
    expect(JSON.stringify(replaced, Object.getOwnPropertyNames(replaced))).not.toContain(
      's3cr3t-value',
    )
  })
})
