import { describe, expect, it } from 'vitest'
import { decodeBasic, encodeBasic } from '../../../server/wire/basic-credentials.ts'

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

describe('HTTP Basic credentials', () => {
  it.each([
    ['plain text', { id: 'report-bot', secret: 'secret' }],
    ['colons, spaces and percent signs', { id: 'a:b', secret: 'c d:100%+é' }],
    ['an empty secret', { id: 'report-bot', secret: '' }],
  ])('are form-encoded and decoded: %s (RFC 6749 §2.3.1)', (_, credentials) => {
    expect(decodeBasic(encodeBasic(credentials))).toEqual({
      ...credentials,
      raw: expect.any(Object),
    })
  })

  it('may follow several spaces', () => {
    expect(decodeBasic(basic('a:b').replace(' ', '   '))).toMatchObject({ id: 'a', secret: 'b' })
  })

  it('have a secret with all colons after the first', () => {
    const raw = { id: 'a', secret: 'b:c:d' }

    expect(decodeBasic(basic('a:b:c:d'))).toEqual({ ...raw, raw })
  })

  it('are form-encoded before they are joined', () => {
    expect(encodeBasic({ id: 'a:b', secret: 'c d' })).toBe(basic('a%3Ab:c+d'))
  })

  it.each([
    ['no Authorization', undefined],
    ['another scheme', 'Bearer abc'],
    ['no credentials', 'Basic '],
    ['two joined fields', `${basic('a:b')}, ${basic('c:d')}`],
  ])('are undefined for %s', (_, authorization) => {
    expect(decodeBasic(authorization)).toBeUndefined()
  })

  it.each([
    ['no colon', 'report-bot', { id: 'report-bot', secret: '', flaw: 'malformed' }],
    ['a bare percent sign', 'a:100%', { id: 'a', secret: '100%', flaw: 'not form-encoded' }],
  ])('are decoded as far as possible, with a flaw: %s', (_, text, expected) => {
    expect(decodeBasic(basic(text))).toEqual({ ...expected, raw: expect.any(Object) })
  })
})
