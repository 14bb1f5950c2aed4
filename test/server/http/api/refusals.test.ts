import { validateHeaderValue } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ApiRefusal } from '../../../../server/api/refusal.ts'
import { renderApiRefusal } from '../../../../server/http/api/refusals.ts'
import { parseChallenges, removeUnsendable } from '../../../../server/wire/auth-params.ts'
import {
  type AuthorizationDetail,
  ChallengeFormat,
  longestChallenge,
  readChallenge,
  readChallengeBody,
} from '../../../../server/wire/index.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', ',', '=', ' ', '\r', '\n', 'é', '€', 'x') }),
)
const format = fc.constantFrom(...ChallengeFormat.options)
const names = ['realm', 'error', 'scope', 'authorization_remediation']
const anyRefusal: fc.Arbitrary<ApiRefusal> = fc.oneof(
  fc.constant<ApiRefusal>({ error: 'missing_token' }),
  anyText.map((says): ApiRefusal => ({ error: 'invalid_request', says })),
  anyText.map((why): ApiRefusal => ({ error: 'invalid_token', why })),
  anyText.map((scope): ApiRefusal => ({ error: 'insufficient_scope', scope })),
  fc
    .record({ type: anyText, identifier: anyText, actions: fc.array(anyText) })
    .map((required): ApiRefusal => ({ error: 'insufficient_authorization_details', required })),
  anyText.map((why): ApiRefusal => ({ error: 'temporarily_unavailable', why })),
  anyText.map((says): ApiRefusal => ({ error: 'insufficient_storage', says })),
)

describe('a refusal by the resource server', () => {
  it('THR-13: has valid header fields, and no auth-param that a caller injected', () => {
    fc.assert(
      fc.property(anyRefusal, format, anyText, (refusal, challenge, realm) => {
        const { headers = {} } = renderApiRefusal(refusal, { challenge, realm })

        for (const [name, value] of Object.entries(headers)) {
          expect(() => validateHeaderValue(name, value)).not.toThrow()
        }
        const field = headers['www-authenticate']
        if (field === undefined) return
        const [found, ...others] = parseChallenges(field) ?? []
        expect(others).toEqual([])
        expect(found?.scheme).toBe('bearer')
        expect([...(found?.parameters.keys() ?? [])].filter((it) => !names.includes(it))).toEqual(
          [],
        )
        if (found?.parameters.has('realm')) {
          expect(found.parameters.get('realm')).toBe(removeUnsendable(realm))
        }
      }),
    )
  })

  const render = (required: AuthorizationDetail, challenge: ChallengeFormat) => {
    const answer = renderApiRefusal(
      { error: 'insufficient_authorization_details', required },
      { challenge, realm: 'api' },
    )
    return { ...answer, headers: new Headers(answer.headers) }
  }
  const long: AuthorizationDetail = { type: 'file_access', path: 'x'.repeat(12_500) }

  it.each(ChallengeFormat.options)(
    'omits a %s challenge above 4096 bytes from the header, and says so in the body',
    (challenge) => {
      const { status, headers, body } = render(long, challenge)

      for (const [, value] of headers) expect(value.length).toBeLessThanOrEqual(longestChallenge)
      expect(readChallenge(status, headers)).toBeUndefined()
      expect(parseChallenges(headers.get('www-authenticate') ?? '')).toHaveLength(1)
      if (challenge === 'rar-04') {
        expect(readChallengeBody(body)).toEqual([long])
      } else {
        expect(body).toMatchObject({
          challenge_omitted: true,
          error_description: expect.stringContaining('longer than 4096 bytes'),
        })
      }
    },
  )

  it.each(ChallengeFormat.options)('sends a %s challenge that fits in the header', (challenge) => {
    const required = { type: 'file_access', path: 'x'.repeat(2000) }
    const { status, headers, body } = render(required, challenge)

    expect(readChallenge(status, headers) ?? readChallengeBody(body)).toEqual([required])
    expect(body).not.toHaveProperty('challenge_omitted')
  })

  it('omits a scope or a realm that is too long for a header', () => {
    const scope = 'x'.repeat(5000)
    const answers = [
      renderApiRefusal({ error: 'insufficient_scope', scope }, { challenge: 'lumo', realm: 'api' }),
      renderApiRefusal({ error: 'missing_token' }, { challenge: 'lumo', realm: scope }),
    ]

    expect(answers.map((it) => it.headers?.['www-authenticate'])).toEqual([
      'Bearer error="insufficient_scope"',
      'Bearer',
    ])
    expect(answers.map((it) => it.body)).toMatchObject([
      { challenge_omitted: true, scope },
      { challenge_omitted: true },
    ])
  })
})
