import { describe, expect, it } from 'vitest'
import { redactorOf } from '../../scenarios/runner/redact.ts'
import { tokenOf } from './support.ts'

describe('redacting', () => {
  const { redact } = redactorOf([{ kind: 'client secret', value: 'abc+def/ghi' }], [])

  it.for([
    ['a secret that is known', 'x abc+def/ghi y'],
    ['in a form', 'client_secret=abc%2Bdef%2Fghi&x=1'],
    ['a token nobody told of', `got ${tokenOf({ sub: 'someone else' })}!`],
    ['a token without a signature', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZ2VudCJ9.'],
    ['Basic credentials nobody told of', 'Basic dXNlcjpwYXNzd29yZA=='],
    ['an opaque bearer token', 'Bearer 2YotnFZFEjr1zCsicMWpAA-and-more'],
    ['a secret in JSON nobody told of', '{"client_secret":"something new"}'],
  ])('removes %s', ([, text]) => {
    const secret = /abc|eyJ|dXNl|2Yotn|something new/

    expect(redact(text)).not.toMatch(secret)
    expect(redact({ deep: [text] }).deep[0]).not.toMatch(secret)
  })

  it('leaves challenges alone', () => {
    const challenge = 'Bearer realm="documents", error="insufficient_authorization_details"'

    expect(redact(challenge)).toBe(challenge)
  })

  it('leaves what follows a secret in a form inside JSON', () => {
    expect(redact('{"body":"client_secret=zzz","type":"x y"}')).toBe(
      '{"body":"client_secret=‹secret›","type":"x y"}',
    )
  })
})
