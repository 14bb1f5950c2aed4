import { describe, expect, it } from 'vitest'
import { TokenCache } from '../../client/token-cache.ts'
import { reading } from './world.ts'

const origin = 'https://api.test'

const place = (n: number) => ({ method: 'GET', url: new URL(`https://api.test/${n}`) })

const filled = () => {
  const wallet = new TokenCache()
  wallet.keep({ token: 't', origin, details: [reading('d')], until: 10 }, 0)
  return wallet
}

describe('the token cache', () => {
  it('holds a thousand places, and drops the least recently required one', () => {
    const wallet = filled()

    for (let n = 0; n < 1000; n += 1) wallet.remember(place(n), reading('d'))
    wallet.remember(place(0), reading('d'))
    wallet.remember(place(1000), reading('d'))

    expect([0, 1, 2, 1000].map((n) => wallet.heldFor(place(n), 0)?.token)).toEqual([
      't',
      undefined,
      't',
      't',
    ])
  })

  it('returns no expired token', () => {
    const wallet = filled()

    expect(wallet.covering(reading('d'), origin, 9)).toBeDefined()
    expect(wallet.covering(reading('d'), origin, 10)).toBeUndefined()
  })

  it('returns the valid one of two tokens', () => {
    const wallet = filled()
    const wider = { type: 'file_access', actions: ['read', 'write'], identifier: 'd' }
    wallet.keep({ token: 'wider', origin, details: [wider], until: 20 }, 0)

    expect(wallet.covering(reading('d'), origin, 9)?.token).toBe('t')
    expect(wallet.covering(reading('d'), origin, 10)?.token).toBe('wider')
  })

  it('keeps valid tokens, and stores no expired one', () => {
    const wallet = filled()
    wallet.keep({ token: 'late', origin, details: [reading('late')], until: 5 }, 5)
    wallet.keep({ token: 'new', origin, details: [reading('new')], until: 20 }, 9)

    const held = ['d', 'late', 'new'].map(
      (name) => wallet.covering(reading(name), origin, 0)?.token,
    )
    expect(held).toEqual(['t', undefined, 'new'])
    wallet.keep({ token: 'newer', origin, details: [reading('newer')], until: 20 }, 10)
    expect(wallet.covering(reading('d'), origin, 0)).toBeUndefined()
  })

  it('drops one token and no other', () => {
    const wallet = filled()
    const other = { token: 'other', origin, details: [reading('other')], until: 10 }
    wallet.keep(other, 0)

    wallet.forget(other)

    expect(wallet.covering(reading('other'), origin, 0)).toBeUndefined()
    expect(wallet.covering(reading('d'), origin, 0)?.token).toBe('t')
  })

  it('identifies a place by method, origin and path, without the query', () => {
    const wallet = filled()
    wallet.remember(place(1), reading('d'))
    const held = (method: string, url: string) =>
      wallet.heldFor({ method, url: new URL(url) }, 0)?.token

    expect(held('get', 'https://api.test/1?page=2')).toBe('t')
    expect(held('PUT', 'https://api.test/1')).toBeUndefined()
    expect(held('GET', 'https://api.test/2')).toBeUndefined()
    expect(held('GET', 'https://other.test/1')).toBeUndefined()
  })

  it('RES-07: returns no token for another origin, whatever it requires', () => {
    const wallet = filled()
    const others = ['https://other.test', 'http://api.test', 'https://api.test:8443']
    for (const other of others) {
      wallet.remember({ method: 'GET', url: new URL(`${other}/1`) }, reading('d'))

      expect(wallet.covering(reading('d'), other, 0)).toBeUndefined()
      expect(wallet.heldFor({ method: 'GET', url: new URL(`${other}/1`) }, 0)).toBeUndefined()
    }
    wallet.keep({ token: 'theirs', origin: others[0] ?? '', details: [reading('d')], until: 10 }, 0)

    expect(wallet.covering(reading('d'), origin, 0)?.token).toBe('t')
    expect(wallet.covering(reading('d'), others[0] ?? '', 0)?.token).toBe('theirs')
  })
})
