import { describe, expect, it } from 'vitest'
import {
  challengeHeader,
  encodeChallenge,
  encodeRemediation,
  longestChallenge,
  MalformedChallenge,
  readChallenge,
  readChallengeBody,
} from '../../../server/wire/challenge.ts'
import { JsonBoundsError } from '../../../server/wire/json.ts'

const detail = { type: 'file_access', actions: ['read'], identifier: 'ä€?>~' }
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
const reading = (status: number, headers: Record<string, string>) =>
  readChallenge(status, new Headers(headers))
const lumo = (value: string, status = 403) => reading(status, { [challengeHeader]: value })
const drafted = (value: string, status = 401) =>
  reading(status, { 'www-authenticate': `Bearer authorization_remediation=${value}` })

describe('a challenge', () => {
  it('is decoded to the encoded detail, in either encoding', () => {
    const remediation = encodeRemediation({ authorization_details: [detail] })

    expect(encodeChallenge(detail)).toBe(base64(detail))
    expect(lumo(encodeChallenge(detail))).toEqual([detail])
    expect(remediation).toMatch(/^[\w-]+$/)
    expect(remediation).toBe(
      Buffer.from(JSON.stringify({ authorization_details: [detail] })).toString('base64url'),
    )
    expect([401, 403].map((status) => drafted(remediation, status))).toEqual([[detail], [detail]])
    expect(drafted(`"${remediation}", realm="x"`)).toEqual([detail])
    expect(drafted(`${remediation}, realm="x"`)).toEqual([detail])
  })

  it.each(['a', 'ab', 'abc', '>>>', '???'])('as a parameter is unpadded base64url: %s', (type) => {
    const remediation = { authorization_details: [{ type }] }

    expect(encodeRemediation(remediation)).toBe(
      Buffer.from(JSON.stringify(remediation)).toString('base64url'),
    )
  })

  it('may be a list, padded or not, in base64 and base64url', () => {
    const json = JSON.stringify([detail])

    expect(lumo(Buffer.from(json).toString('base64'))).toEqual([detail])
    expect(lumo(Buffer.from(json).toString('base64').replace(/=+$/, ''))).toEqual([detail])
    expect(lumo(Buffer.from(json).toString('base64url'))).toEqual([detail])
  })

  it('is absent from a response with another status, or without the header', () => {
    const remediation = encodeRemediation({ authorization_details: [detail] })

    expect(reading(403, {})).toBeUndefined()
    expect([200, 401, 500].map((status) => lumo(encodeChallenge(detail), status))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect([200, 402, 404].map((status) => drafted(remediation, status))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(
      reading(401, { 'www-authenticate': `Bearer xauthorization_remediation=${remediation}` }),
    ).toBeUndefined()
  })

  const remediation = encodeRemediation({ authorization_details: [detail] })
  it.each([
    ['within a quoted realm', `Bearer realm="x, authorization_remediation=${remediation}"`],
    ['behind an escaped quote', `Bearer realm="\\", authorization_remediation=${remediation}, x="`],
    ['of a scheme that takes no token', `Basic authorization_remediation=${remediation}`],
    ['of another challenge', `Bearer, Basic authorization_remediation=${remediation}`],
    ['that is a scheme', `authorization_remediation ${remediation}`],
  ])('is absent from a parameter %s', (_, field) => {
    expect(reading(401, { 'www-authenticate': field })).toBeUndefined()
  })

  it.each([
    ['among others', `Basic realm="x", DPoP a="b" , Authorization_Remediation = ${remediation}`],
    ['quoted', `bearer realm="a, b", authorization_remediation="${remediation}"`],
    ['padded', `Bearer authorization_remediation=${remediation.replace(/=*$/, '')}`],
  ])('is read from a parameter %s', (_, field) => {
    expect(reading(401, { 'www-authenticate': field })).toEqual([detail])
  })

  it.each([
    [
      'in a field that is no list of challenges',
      `Bearer x authorization_remediation=${remediation}`,
      'is not a list of challenges',
    ],
    [
      'that is named twice',
      `Bearer authorization_remediation=a, authorization_remediation=b`,
      'is not a list of challenges',
    ],
    [
      'in a field longer than 16 KiB',
      `Bearer realm="${'x'.repeat(16_384)}"`,
      'is longer than 16384 characters',
    ],
  ])('is malformed %s', (_, field, message) => {
    const read = () => reading(401, { 'www-authenticate': field })

    expect(read).toThrow(MalformedChallenge)
    expect(read).toThrow(message)
  })

  it('is read from a field of 16 KiB, and absent from a field that is not a list of challenges', () => {
    const challenge = `Bearer authorization_remediation=${remediation}, realm=""`
    const field = challenge.replace('""', `"${'x'.repeat(16_384 - challenge.length)}"`)

    expect(field).toHaveLength(16_384)
    expect(reading(401, { 'www-authenticate': field })).toEqual([detail])
    expect(reading(401, { 'www-authenticate': 'Bearer x y z' })).toBeUndefined()
    expect(reading(401, {})).toBeUndefined()
  })

  it('is malformed when it is nested deeper than 64 levels', () => {
    const nested = (levels: number) =>
      `{"type":"t","more":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
    const sent = (levels: number) => Buffer.from(nested(levels)).toString('base64')

    expect(lumo(sent(64))).toHaveLength(1)
    expect(() => lumo(sent(65))).toThrow('nested deeper than 64 levels')
    expect(() => lumo(sent(1000))).toThrow(MalformedChallenge)
  })

  const padded = (length: number) => {
    const empty = base64([{ type: 't', more: '' }]).length
    return base64([{ type: 't', more: 'x'.repeat(Math.ceil(((length - empty) * 3) / 4)) }])
  }
  it('is read up to its maximum length', () => {
    const longest = padded(longestChallenge)

    expect(longest).toHaveLength(longestChallenge)
    expect(lumo(longest)).toHaveLength(1)
    expect(() => lumo(`${longest}AAAA`)).toThrow(
      `the challenge is longer than ${longestChallenge} characters`,
    )
  })

  it.each<[string, string, string]>([
    ['nothing', '', 'not base64'],
    ['two alphabets', `${base64(detail)}+-`, 'not base64'],
    ['something before it', `:${base64({ type: 't' })}`, 'not base64'],
    ['something behind it', `${base64({ type: 't' })}:`, 'not base64'],
    ['three equals signs', `${base64({ type: 't' })}===`, 'not base64'],
    ['no JSON', Buffer.from('{').toString('base64'), 'does not decode'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]).toString('base64'), 'does not decode'],
    ['__proto__', Buffer.from('{"type":"t","__proto__":1}').toString('base64'), 'does not decode'],
    ['a constructor', base64({ type: 't', constructor: 1 }), 'does not decode'],
    ['no detail', base64({ actions: [] }), 'not an authorization detail'],
    ['an empty list', base64([]), 'not an authorization detail'],
    ['a long list', base64(Array(17).fill({ type: 't' })), 'not an authorization detail'],
  ])('that holds %s is malformed', (_says, value, message) => {
    const read = () =>
      readChallenge(403, { get: (name) => (name === challengeHeader ? value : null) })

    expect(read).toThrow(MalformedChallenge)
    expect(read).toThrow(message)
    expect(read).toThrow(
      expect.objectContaining({ name: 'MalformedChallenge', code: 'malformed_challenge' }),
    )
  })

  it('that cannot be decoded throws an error with the cause', () => {
    const deep = `{"type":"t","deep":${'['.repeat(65)}${']'.repeat(65)}}`
    const causes: readonly [string, unknown][] = [
      [Buffer.from('{').toString('base64'), SyntaxError],
      [Buffer.from([0x22, 0xff, 0x22]).toString('base64'), TypeError],
      [Buffer.from(deep).toString('base64'), JsonBoundsError],
      ['A', DOMException],
    ]
    for (const [value, cause] of causes) {
      expect(() => lumo(value)).toThrow(expect.objectContaining({ cause: expect.any(cause) }))
    }
  })

  it('of the draft that uses the body is read from the body', () => {
    const body = { error: 'insufficient_authorization_details', authorization_details: [detail] }

    expect(readChallengeBody(body)).toEqual([detail])
    expect(readChallengeBody({ ...body, error: 'other' })).toBeUndefined()
    expect(readChallengeBody({ ...body, authorization_details: [] })).toBeUndefined()
    expect(readChallengeBody(undefined)).toBeUndefined()
  })
})
