import { describe, expect, it } from 'vitest'
import {
  askForDevice,
  denyDevice,
  deviceLifetime,
  deviceObstacle,
  findDevice,
} from '../../../../server/issuer/oauth/devices.ts'
import { bot, errorOf, refusalOf, start, stranger, world } from '../world.ts'

const asking = (policy: Parameters<typeof world>[0] = {}) => {
  const at = world(policy)
  const ask = (codeHash: string, client = bot, more: object = {}) =>
    at.tenant.run(askForDevice, { client, codeHash, userCode: `CODE-${codeHash}`, ...more })[0]
      .device
  const obstacle = (codeHash: string, client = bot) =>
    deviceObstacle(at.state, codeHash, client, at.clock.now())
  const find = (userCode: string) => findDevice(at.state, userCode, at.clock.now())
  return { ...at, ask, obstacle, find }
}

describe('a device authorization', () => {
  it('is refused to a client without this grant', () => {
    const { ask } = asking()

    expect(errorOf(() => ask('a', { ...bot, grantTypes: ['authorization_code'] } as never))).toBe(
      'unauthorized_client',
    )
  })

  it('is refused for a scope that the client does not have', () => {
    const { ask } = asking()

    expect(errorOf(() => ask('a', bot, { scope: 'admin' }))).toBe('invalid_scope')
  })

  it('has the scope openid by default, and expires after 600 seconds', () => {
    const device = asking().ask('a')

    expect(device).toEqual({
      codeHash: 'a',
      userCode: 'CODE-a',
      clientId: bot.clientId,
      scope: 'openid',
      expiresAt: start + deviceLifetime,
    })
    expect(deviceLifetime).toBe(600)
  })

  it('is limited by client; expired and denied ones do not count', () => {
    const { ask, tenant, clock } = asking({ policy: { limits: { devices_per_client: 2 } } })
    ask('a')
    ask('b')

    expect(refusalOf(() => ask('c'))).toMatchObject({ error: 'limit_reached', limit: 2 })
    expect(ask('d', stranger).clientId).toBe(stranger.clientId)
    tenant.run(denyDevice, { codeHash: 'a' })
    expect(ask('e').codeHash).toBe('e')
    expect(errorOf(() => ask('f'))).toBe('limit_reached')
    clock.advance(deviceLifetime)
    expect(ask('g').codeHash).toBe('g')
  })

  it('is found by its user code, whatever its case, spaces and hyphens, until it expires', () => {
    const { ask, find, clock } = asking()
    ask('a')

    expect(find('code a')?.device.codeHash).toBe('a')
    expect(find('code-b')).toBeUndefined()
    clock.advance(deviceLifetime - 1)
    expect(find('CODEA')).toBeDefined()
    clock.advance(1)
    expect(find('CODEA')).toBeUndefined()
  })
})

describe('the token endpoint, for a device', () => {
  it('answers expired_token for an hour after the code has expired', () => {
    const { ask, obstacle, clock, tenant } = asking()
    ask('a')
    clock.advance(deviceLifetime + 3600 - 60)
    tenant.happen([{ type: 'clock.moved', by: 0 }])

    expect(obstacle('a')).toBe('expired_token')
  })

  it('rejects a code that is unknown, or of another client', () => {
    const { ask, obstacle } = asking()
    ask('a')

    expect(errorOf(() => obstacle('b'))).toBe('invalid_grant')
    expect(errorOf(() => obstacle('a', stranger))).toBe('invalid_grant')
  })

  it('answers authorization_pending, then expired_token', () => {
    const { ask, obstacle, clock } = asking()
    ask('a')

    expect(obstacle('a')).toBe('authorization_pending')
    clock.advance(deviceLifetime)
    expect(obstacle('a')).toBe('expired_token')
  })

  it('answers access_denied after a person has denied it', () => {
    const { ask, obstacle, tenant } = asking()
    ask('a')
    tenant.run(denyDevice, { codeHash: 'a' })

    expect(obstacle('a')).toBe('access_denied')
  })
})
