import { describe, expect, it } from 'vitest'
import { Wallet } from '../../client/wallet.ts'
import { reading } from './world.ts'

const place = (n: number) => ({ method: 'GET', url: new URL(`https://api.test/${n}`) })

const filled = () => {
  const wallet = new Wallet()
  wallet.keep({ token: 't', details: [reading('d')], until: 10 }, 0)
  return wallet
}

describe('a wallet', () => {
  it('remembers a thousand places, and forgets the one not required for longest', () => {
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

  it('holds no token past its time', () => {
    const wallet = filled()

    expect(wallet.covering(reading('d'), 9)).toBeDefined()
    expect(wallet.covering(reading('d'), 10)).toBeUndefined()
  })
})
