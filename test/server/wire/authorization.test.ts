import { describe, expect, it } from 'vitest'
import { type AuthorizeRequest, readAuthorization } from '../../../server/wire/authorization.ts'

const read = (request: AuthorizeRequest) => readAuthorization(request)

describe('an authorization request', () => {
  it('keeps its parameters, and leaves out empty and absent ones', () => {
    const request = { response_type: 'code', client_id: 'app', state: '', nonce: undefined }

    expect(read(request)).toStrictEqual({ query: { response_type: 'code', client_id: 'app' } })
  })

  it.each([[['https://a.test', 'https://b.test']], ['https://a.test']])(
    'keeps resource, once or repeatedly: %j (RFC 8707)',
    (resource) => {
      expect(read({ resource })).toStrictEqual({ query: { resource } })
    },
  )

  it('leaves out a repeated parameter, and names it (RFC 6749 §3.1)', () => {
    expect(read({ state: ['a', 'b'], scope: 'openid' })).toEqual({
      query: { scope: 'openid' },
      flaw: { error: 'invalid_request', reason: expect.stringMatching(/^state: expected it once/) },
    })
  })

  it.each([
    ['redirect_uri', 2048],
    ['scope', 1024],
    ['state', 2048],
    ['nonce', 512],
    ['login_hint', 256],
    ['authorization_details', 8192],
    ['requested_actor', 256],
  ])('leaves out %s above %i characters, and names it', (name, most) => {
    const longest = { [name]: 'x'.repeat(most) }

    expect(read(longest)).toStrictEqual({ query: longest })
    expect(read({ [name]: 'x'.repeat(most + 1) })).toStrictEqual({
      query: {},
      flaw: { error: 'invalid_request', reason: `${name}: expected at most ${most} characters` },
    })
  })

  it('limits no other parameter', () => {
    const request = { client_id: 'x'.repeat(10_000), prompt: 'x'.repeat(10_000) }

    expect(read(request)).toStrictEqual({ query: request })
  })

  it('reports the first flaw', () => {
    expect(read({ state: ['a', 'b'], nonce: ['a', 'b'] }).flaw?.reason).toContain('state')
  })

  it.each(['0', '3600', '1234567890'])('accepts max_age %s', (max_age) => {
    expect(read({ max_age })).toStrictEqual({ query: { max_age } })
  })

  it.each(['-1', '1.5', 'soon', '12345678901', ' 1', '1 '])('rejects max_age %j', (max_age) => {
    expect(read({ max_age }).flaw).toEqual({
      error: 'invalid_request',
      reason: 'max_age: expected whole seconds',
    })
  })

  it.each([
    ['request', 'request_not_supported'],
    ['registration', 'registration_not_supported'],
  ])('rejects %s (OpenID Connect Core §3.1.2.6)', (name, error) => {
    expect(read({ [name]: 'x', scope: 'openid' })).toEqual({
      query: { scope: 'openid' },
      flaw: { error, reason: expect.stringMatching(`^${name}: `) },
    })
  })

  it('accepts only a request_uri that was pushed (RFC 9126)', () => {
    const request_uri = 'urn:ietf:params:oauth:request_uri:abc'

    expect(read({ request_uri })).toStrictEqual({ query: { request_uri } })
    for (const other of ['https://app.test/request', `x${request_uri}`]) {
      expect(read({ request_uri: other })).toEqual({
        query: {},
        flaw: {
          error: 'request_uri_not_supported',
          reason: 'request_uri: expected one that was pushed (RFC 9126)',
        },
      })
    }
  })
})
