import { validateHeaderValue } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatChallenge,
  longestField,
  parseChallenges,
  quoteString,
  removeUnsendable,
} from '../../../server/wire/auth-params.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', ',', '=', ' ', '\t', '\r', '\n', 'a', 'é', '€') }),
)
const token = fc.stringMatching(/^[A-Za-z][\w!#$%&'*+.^`|~-]{0,9}$/)
const parameters = fc.dictionary(
  token.map((it) => it.toLowerCase()),
  anyText,
  { minKeys: 1, maxKeys: 5, noNullPrototype: true },
)
const read = (field: string) =>
  parseChallenges(field)?.map((it) => [it.scheme, Object.fromEntries(it.parameters)])

describe('formatting a challenge with any text', () => {
  it('gives a valid header field that parses back to the same parameters', () => {
    fc.assert(
      fc.property(token, parameters, (scheme, given) => {
        const field = formatChallenge(scheme, given)

        expect(() => validateHeaderValue('www-authenticate', field)).not.toThrow()
        expect(new Headers({ 'www-authenticate': field }).get('www-authenticate')).toBe(field)
        const sent = Object.entries(given).map(([name, text]) => [name, removeUnsendable(text)])
        expect(read(field)).toEqual([[scheme.toLowerCase(), Object.fromEntries(sent)]])
      }),
    )
  })

  it('keeps it apart from the challenges beside it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(token, parameters), { minLength: 1, maxLength: 4 }), (all) => {
        const field = all.map(([scheme, given]) => formatChallenge(scheme, given)).join(', ')

        expect(parseChallenges(field)?.map((it) => it.scheme)).toEqual(
          all.map(([scheme]) => scheme.toLowerCase()),
        )
      }),
    )
  })

  it('keeps every character that a header field may hold', () => {
    const codes = [9, ...Array.from({ length: 95 }, (_, at) => 0x20 + at)]
    const obsolete = Array.from({ length: 128 }, (_, at) => 0x80 + at)
    const sendable = String.fromCharCode(...codes, ...obsolete)

    expect(removeUnsendable(sendable)).toBe(sendable)
    expect(removeUnsendable('a\0b\rc\nd\x7fe€f😀g\ud800h')).toBe('abcdefgh')
    expect(quoteString('say "no\\"')).toBe('"say \\"no\\\\\\""')
  })
})

describe('a WWW-Authenticate field', () => {
  it.each([
    ['', []],
    [' , ,', []],
    ['Negotiate', [['negotiate', {}]]],
    [
      'Negotiate  ,\tBearer',
      [
        ['negotiate', {}],
        ['bearer', {}],
      ],
    ],
    ['Basic YTpi==', [['basic', {}]]],
    [
      'NTLM abc, Bearer realm=x',
      [
        ['ntlm', {}],
        ['bearer', { realm: 'x' }],
      ],
    ],
    ['Bearer REALM = "x" , error=y', [['bearer', { realm: 'x', error: 'y' }]]],
    ['Bearer a=b,,c=d', [['bearer', { a: 'b', c: 'd' }]]],
    ['Bearer realm="a=\\"b\\", c=d"', [['bearer', { realm: 'a="b", c=d' }]]],
    ['Bearer __proto__=x', [['bearer', { ['__proto__']: 'x' }]]],
    ['Bearer r=ab+/==, s=t', [['bearer', { r: 'ab+/==', s: 't' }]]],
  ])('%j names %j', (field, challenges) => {
    expect(read(field)).toEqual(challenges)
  })

  it.each([
    'realm="x"',
    'Bearer realm="x',
    'Bearer realm="x" error="y"',
    'Bearer realm=x, realm=y',
    'Bearer realm=x, REALM=y',
    'Bearer realm==x',
    'Bearer realm=x;y',
    'Bearer "x"',
    'Bearer realm="\u20ac"',
    `Bearer realm="${'x'.repeat(longestField)}"`,
  ])('is malformed: %j', (field) => {
    expect(parseChallenges(field)).toBeUndefined()
  })

  it('with any text is parsed or rejected, and never throws', () => {
    const pieces = fc.constantFrom('Bearer', ' ', ',', '=', '"', '\\', 'a', '==', '\t', ', x="y"')
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.array(pieces).map((it) => it.join('')),
        ),
        (field) => {
          expect(() => parseChallenges(field)).not.toThrow()
        },
      ),
    )
  })
})
