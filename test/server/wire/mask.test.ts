import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maskByName } from '../../../server/wire/mask.ts'

const mask = (text: string) => maskByName(text, '***')

const secret = 'sK-93.x/+~é'
const names = [
  'access_token',
  'refresh_token',
  'id_token',
  'subject_token',
  'actor_token',
  'client_secret',
  'client_assertion',
  'code_verifier',
  'approval_token',
  'authorization_token',
  'authorization_header',
  'registration_access_token',
  'webhook_secret',
  'api_key',
  'attestation_token',
  'id_token_hint',
  'software_statement',
  'csrf',
  'token',
  'code',
  'password',
  'assertion',
]

const spellings: Readonly<Record<string, (name: string) => string>> = {
  'as it is': (name) => name,
  'upper case': (name) => name.toUpperCase(),
  'camel case': (name) => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
  hyphens: (name) => name.replaceAll('_', '-'),
}

const places: Readonly<Record<string, (name: string, value: string) => string>> = {
  'a form': (name, value) =>
    new URLSearchParams([
      ['a', '1'],
      [name, value],
      ['b', '2'],
    ]).toString(),
  'a form with an encoded name': (name, value) =>
    `a=1&${percent(name)}=${encodeURIComponent(value)}&b=2`,
  'a query': (name, value) => `/cb?a=1&${name}=${encodeURIComponent(value)}&b=2`,
  'a fragment': (name, value) => `https://app.example/#${name}=${encodeURIComponent(value)}`,
  JSON: (name, value) => JSON.stringify({ a: 1, [name]: value, b: [2] }),
  'JSON with spaces': (name, value) => JSON.stringify({ a: 1, [name]: value }, null, 2),
  'JSON with an escaped name': (name, value) =>
    `{"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}":${JSON.stringify(value)}}`,
  'a list in JSON': (name, value) => JSON.stringify({ [name]: [value] }),
  'JSON within JSON': (name, value) => JSON.stringify({ note: JSON.stringify({ [name]: value }) }),
  'a URL in JSON': (name, value) =>
    JSON.stringify({ to: `https://h.example/?${name}=${encodeURIComponent(value)}` }),
  'a URL in a form': (name, value) =>
    new URLSearchParams({
      to: `https://h.example/?${name}=${encodeURIComponent(value)}`,
    }).toString(),
  'JSON that was cut off': (name, value) => JSON.stringify({ a: 1, [name]: value }).slice(0, -3),
}

const percent = (text: string) =>
  [...text].map((it) => `%${it.charCodeAt(0).toString(16)}`).join('')

const holds = (text: string) => {
  const decoded = [text]
  for (let times = 0; times < 3; times += 1) {
    const last = decoded.at(-1) ?? ''
    decoded.push(decodeURIComponent(last.replaceAll('+', '%2B')))
  }
  return decoded.some((it) => it.includes('sK-93') || it.includes('93.x'))
}

describe('masking by name', () => {
  describe.each(Object.keys(places))('in %s', (place) => {
    it.each(names.filter((name) => name !== 'code' || !place.includes('JSON')))(
      'masks %s in every spelling',
      (name) => {
        for (const spelled of Object.values(spellings)) {
          const text = places[place]?.(spelled(name), secret) ?? ''
          expect(holds(text), text).toBe(true)
          const masked = mask(text)
          expect(holds(masked), `${text} -> ${masked}`).toBe(false)
          expect(masked).toContain('***')
        }
      },
    )
  })

  it.each(['callback_url', 'endpoint_url'])('masks the query of %s and keeps the rest', (name) => {
    expect(mask(JSON.stringify({ [name]: 'https://h.example/in?key=abc&s=1' }))).toBe(
      JSON.stringify({ [name]: 'https://h.example/in?key=***&s=***' }),
    )
    expect(mask(`${name}=${encodeURIComponent('https://h.example/in?key=abc')}`)).toBe(
      `${name}=https%3A%2F%2Fh.example%2Fin%3Fkey%3D***`,
    )
    expect(mask(JSON.stringify({ [name]: 'https://h.example/in' }))).toContain('/in"')
  })

  it.each([
    ['/in?key', '/in?***'],
    ['/in?key&s=1', '/in?***&s=***'],
    ['/in?', '/in?'],
    ['/in', '/in'],
  ])('masks a callback_url that ends with %s as one that ends with %s', (path, masked) => {
    expect(mask(JSON.stringify({ callback_url: `https://h.example${path}` }))).toBe(
      JSON.stringify({ callback_url: `https://h.example${masked}` }),
    )
  })

  it.each([
    '{"access_token":""}',
    'access_token=&x=1',
    '{"note":"no equals sign, no quotes: \\u00e9"}',
    ' { "name": "\\u0061" }',
    '{"name": "not closed',
    '{"name": "\\',
  ])('keeps the text %s, which has no secret', (text) => {
    expect(mask(text)).toBe(text)
  })

  it.each([
    ['{"client_secret": "abc', '"***"'],
    ['{"client_secret": "\\u0061\\', '"***"'],
    [' [{"client_secret":["abc"]}]', ' [{"client_secret":["***"]}]'],
    ['{"form":"client_secret=abc"}', '{"form":"client_secret=***"}'],
    ['{"json":"{\\"client_secret\\":\\"abc\\"}"}', '{"json":"{\\"client_secret\\":\\"***\\"}"}'],
    ['x=1 {"client_secret": 2', 'x=1 {"client_secret": 2'],
  ])('masks %s', (text, masked) => {
    expect(mask(text)).toContain(masked)
    expect(mask(text)).not.toContain('abc')
  })

  it('returns text without secrets unchanged', () => {
    const values = fc.oneof(fc.string(), fc.integer(), fc.constant(null))
    const bodies = fc.dictionary(fc.constantFrom('name', 'details', 'tokens_used'), values)
    fc.assert(
      fc.property(bodies, (body) => {
        const text = JSON.stringify(body, null, 1)
        fc.pre(!/[=]|token|code/i.test(text.replaceAll('tokens_used', '')))
        expect(mask(text)).toBe(text)
      }),
    )
  })

  it('keeps the code of an error', () => {
    const text = JSON.stringify({ error: 'not_found', code: 'not_found', status: 404 })
    expect(mask(text)).toBe(text)
  })

  it('masks the whole text when it is nested too deep', () => {
    let text = 'hello=world'
    for (let times = 0; times < 40; times += 1) text = `?a=${text}`

    expect(mask(`see=${encodeURIComponent(text)}`)).not.toContain('world')
    expect(mask('a=b')).toBe('a=b')
  })
})
