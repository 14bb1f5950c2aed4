import { describe, expect, it } from 'vitest'
import { redactorOf } from '../../../scenarios/runner/redact.ts'
import { tokenOf } from '../support.ts'

describe('redacting', () => {
  const { redact } = redactorOf([{ kind: 'client secret', value: 'abc+def/ghi' }], [])

  it.for([
    ['a secret that is known', 'x abc+def/ghi y'],
    ['in a form', 'client_secret=abc%2Bdef%2Fghi&x=1'],
    ['an unknown token', `got ${tokenOf({ sub: 'someone else' })}!`],
    ['a token without a signature', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZ2VudCJ9.'],
    ['unknown Basic credentials', 'Basic dXNlcjpwYXNzd29yZA=='],
    ['an opaque bearer token', 'Bearer 2YotnFZFEjr1zCsicMWpAA-and-more'],
    ['an unknown secret in JSON', '{"client_secret":"something new"}'],
  ])('removes %s', ([, text]) => {
    const secret = /abc|eyJ|dXNl|2Yotn|something new/

    expect(redact(text)).not.toMatch(secret)
    expect(redact({ deep: [text] }).deep[0]).not.toMatch(secret)
  })

  it.for([
    ['JWTs', 'eyJAAAAAAAA-'],
    ['JWTs, with dots', 'eyJAAAAAAAA.eyJAAAAAAAA-'],
    ['JWTs, with dots only', 'eyJAAAAAAAA..'],
    ['Basic credentials', 'Basic AAAAAAA-'],
    ['bearer tokens', 'Bearer Bearer~'],
    ['secrets in JSON', '"client_secret":"‹'],
    ['secrets in JSON that never end', '"access_token":"x‹'],
    ['secrets in forms', 'client_secret=client_assertion='],
  ])('takes time linear in the text, for incomplete %s', ([, piece]) => {
    // Quadratic time would exceed a minute.
    const start = performance.now()

    redact((piece as string).repeat(Math.ceil(1_000_000 / (piece as string).length)))

    expect(performance.now() - start).toBeLessThan(2000)
  })

  it('keeps challenges', () => {
    const challenge = 'Bearer realm="documents", error="insufficient_authorization_details"'

    expect(redact(challenge)).toBe(challenge)
  })

  it('keeps the text after a secret in a form inside JSON', () => {
    expect(redact('{"body":"client_secret=zzz","type":"x y"}')).toBe(
      '{"body":"client_secret=‹secret›","type":"x y"}',
    )
  })
})
