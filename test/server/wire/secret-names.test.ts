import { describe, expect, it } from 'vitest'
import { decodeParameter, decodeUri } from '../../../server/wire/decode-uri.ts'
import {
  isReceiverUrl,
  isSecretMember,
  isSecretName,
  isSecretParameter,
  isShownHeader,
} from '../../../server/wire/secret-names.ts'

describe('the name of a secret', () => {
  it.each(['client_secret', 'clientSecret', 'Client-Secret', 'CLIENTSECRET'])(
    'is recognised however it is written: %s',
    (name) => {
      expect([isSecretParameter(name), isSecretName(name), isSecretMember(name)]).toEqual([
        true,
        true,
        true,
      ])
    },
  )

  it('is no other name', () => {
    for (const name of ['client_id', 'secretary', 'my_client_secret_hint', '']) {
      expect([isSecretParameter(name), isSecretName(name), isSecretMember(name)]).toEqual([
        false,
        false,
        false,
      ])
    }
  })

  it.each(['callback_url', 'endpointUrl', 'Webhook-URL'])(
    'is not %s, whose query is secret',
    (name) => {
      expect([isReceiverUrl(name), isSecretName(name)]).toEqual([true, false])
      expect(isReceiverUrl(`${name}s`)).toBe(false)
    },
  )
})

describe('a header field', () => {
  it.each(['age', 'content-type', 'x-ratelimit-limit', 'insufficient-authorization-details'])(
    'is shown: %s',
    (name) => {
      expect(isShownHeader(name)).toBe(true)
    },
  )

  it.each(['authorization', 'cookie', 'x-api-key', 'x-gateway-token', 'my-x-ratelimit-limit'])(
    'is masked: %s',
    (name) => {
      expect(isShownHeader(name)).toBe(false)
    },
  )
})

describe('percent-encoded text', () => {
  it('is decoded; + is a space in a parameter only', () => {
    expect([decodeUri('a%20b+c'), decodeParameter('a%20b+c')]).toEqual(['a b+c', 'a b c'])
  })

  it('stays as it is when it is malformed', () => {
    expect([decodeUri('a+%zz'), decodeParameter('a+%zz')]).toEqual(['a+%zz', 'a+%zz'])
  })
})
