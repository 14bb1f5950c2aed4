import { describe, expect, it } from 'vitest'
import { registerClient, useAssertion } from '../../../server/issuer/clients.ts'
import type { Client } from '../../../server/issuer/event.ts'
import {
  codeLifetime,
  giveGrant,
  pushRequest,
  redeemCode,
  refresh,
  refreshLifetime,
} from '../../../server/issuer/grants.ts'
import { RegisterClient } from '../../../server/wire/index.ts'
import { alice, errorOf, start, world } from './world.ts'

const redirectUri = 'https://app.test/cb'

const consented = (withRefresh = true) => {
  const here = world()
  const asked = RegisterClient.parse({ redirect_uris: [redirectUri] })
  const [{ client }] = here.tenant.run(registerClient, { asked, clientId: 'app' })
  here.tenant.run(giveGrant, {
    clientId: client.clientId,
    userId: alice.id,
    scope: 'openid',
    codeHash: 'code',
    redirectUri,
  })
  const redeem = (by: Client = client) =>
    here.tenant.run(redeemCode, {
      client: by,
      codeHash: 'code',
      redirectUri,
      ...(withRefresh ? { refreshHash: 'first' } : {}),
    })
  return { ...here, client, redeem }
}

/** Time only forgets when something happens. */
const tick = ({ tenant, clock }: ReturnType<typeof world>, seconds: number) => {
  clock.advance(seconds)
  tenant.run(useAssertion, { clientId: 'clock', jti: `${clock.now()}`, expiresAt: clock.now() })
}

describe('a grant', () => {
  it('revokes every token that was drawn from it when a code comes twice', () => {
    const { redeem, happened } = consented()
    redeem()

    redeem()

    expect(happened().slice(-2)).toEqual(['token.revoked', 'grant.revoked'])
    expect(errorOf(redeem)).toBe('invalid_grant')
  })

  it('is forgotten with its code when nobody redeems it', () => {
    const here = consented()

    tick(here, codeLifetime + 120)

    expect([here.state.codes.size, here.state.grants.size]).toEqual([0, 0])
  })

  it('is remembered as long as it can be refreshed, and no longer', () => {
    const here = consented()
    here.redeem()

    tick(here, refreshLifetime - 120)
    here.tenant.run(refresh, { client: here.client, usedHash: 'first', refreshHash: 'second' })
    tick(here, 600)
    expect([...here.state.refreshTokens.keys()]).toEqual(['second'])
    expect(here.state.grants.size).toBe(1)

    tick(here, refreshLifetime)
    expect([here.state.refreshTokens.size, here.state.grants.size]).toEqual([0, 0])
  })

  it('leaves nothing behind of pushed requests and used assertions', () => {
    const here = world()
    here.tenant.run(pushRequest, { uri: 'urn:x', clientId: 'app', parameters: {} })
    here.tenant.run(useAssertion, { clientId: 'app', jti: 'one', expiresAt: start + 60 })

    tick(here, 600)
    tick(here, 600)

    expect(here.state.pushed.size).toBe(0)
    expect([...here.state.assertions].some((it) => it.startsWith('app '))).toBe(false)
  })

  it('knows an assertion again that has expired and came anew, as does whoever replays it', () => {
    const here = world()
    const use = () =>
      here.tenant.run(useAssertion, {
        clientId: 'app',
        jti: 'one',
        expiresAt: here.clock.now() + 60,
      })
    use()
    here.clock.advance(600)

    use()

    expect(errorOf(use)).toBe('assertion_used')
    const again = world()
    again.tenant.replay(here.tenant.journal.after(again.tenant.journal.last))
    expect([...again.state.assertions]).toEqual([...here.state.assertions])
  })
})
