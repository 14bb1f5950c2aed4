import { describe, expect, it } from 'vitest'
import { parseBase, parseHttpOrigin, pathOf } from '../../../server/wire/base-url.ts'

describe('a base URL', () => {
  it.each([
    ['http://127.0.0.1:4400', 'http://127.0.0.1:4400'],
    ['http://127.0.0.1:4400/', 'http://127.0.0.1:4400'],
    ['https://lumo.test/auth', 'https://lumo.test/auth'],
    ['https://lumo.test/auth/v1.0_~-x/', 'https://lumo.test/auth/v1.0_~-x'],
    ['HTTPS://LUMO.test:443/', 'https://lumo.test'],
  ])('%s is read as %s', (text, base) => {
    expect(parseBase(text)).toBe(base)
  })

  it.each([
    '',
    'lumo.test',
    'ftp://lumo.test',
    'httpx://lumo.test',
    'https://user@lumo.test',
    'https://:password@lumo.test',
    'https://lumo.test?x=1',
    'https://lumo.test#x',
    'https://lumo.test//auth',
    'https://lumo.test/auth//',
    'https://lumo.test/a%20b',
    'https://lumo.test/a;b',
  ])('must not be %j', (text) => {
    expect(parseBase(text)).toBeUndefined()
  })

  it.each([
    ['https://lumo.test', ''],
    ['https://lumo.test/auth', '/auth'],
    ['https://lumo.test/auth//', '/auth'],
    ['https://lumo.test/a/b/', '/a/b'],
  ])('%s has the path %j', (base, path) => {
    expect(pathOf(base)).toBe(path)
  })
})

describe('an origin of plain HTTP', () => {
  it('is an origin without a path', () => {
    expect(parseHttpOrigin('http://10.0.0.7:4400/')).toBe('http://10.0.0.7:4400')
    for (const text of ['https://lumo.test', 'http://lumo.test/auth', 'nothing', 'httpx://a']) {
      expect(parseHttpOrigin(text)).toBeUndefined()
    }
  })
})
