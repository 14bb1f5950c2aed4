import { describe, expect, it } from 'vitest'
import type { Token } from '../../../../server/issuer/event.ts'
import {
  approvalObstacle,
  controlPlaneClient,
  permissionsOf,
  personObstacle,
} from '../../../../server/issuer/oauth/authority.ts'
import { registerClient } from '../../../../server/issuer/oauth/clients.ts'
import { RegisterClient } from '../../../../server/wire/index.ts'
import { ada, bot, start, world } from '../world.ts'

const { tenant, state } = world()
tenant.run(registerClient, {
  asked: RegisterClient.parse({ redirect_uris: ['https://app.test/cb'] }),
  clientId: 'self-registered',
})

const token = (more: Partial<Token> = {}): Token => ({
  jti: 'tok_1',
  kind: 'user',
  sub: ada.id,
  userId: ada.id,
  clientId: controlPlaneClient,
  issuedAt: start,
  expiresAt: start + 3600,
  scope: 'openid jit:approve',
  ...more,
})

describe('a token of a user with jit.approve', () => {
  it.each<[string, Partial<Token>, string]>([
    ['of an agent', { agentId: bot.id }, 'an agent cannot decide, even when it acts for a user'],
    ['of another kind', { kind: 'client' }, 'expected a user’s token'],
    ['issued to an agent', { clientId: bot.clientId }, 'a token issued to an agent cannot decide'],
    [
      'of a self-registered client',
      { clientId: 'self-registered' },
      'a token of a self-registered client cannot decide',
    ],
  ])('cannot decide, and has no permission: %s', (_, more, why) => {
    expect(personObstacle(state, token(more))).toBe(why)
    expect(approvalObstacle(state, token(more))).toBe(why)
    expect(permissionsOf(state, token(more))).toEqual([])
  })

  it('has no permission of its user either, if it cannot act for its user', () => {
    const manager = { ...ada, id: 'user:manager', permissions: ['settings.manage'] }
    const at = world()
    at.tenant.happen([{ type: 'tenant.seeded', agents: [], users: [manager] }])
    const of = (more: Partial<Token>) =>
      permissionsOf(at.state, token({ userId: manager.id, ...more }))

    expect(of({})).toEqual(['settings.manage'])
    expect(of({ scope: 'openid' })).toEqual(['settings.manage'])
    expect(of({ agentId: bot.id })).toEqual([])
  })

  it('can decide with the scope jit:approve', () => {
    expect(personObstacle(state, token())).toBeUndefined()
    expect(approvalObstacle(state, token())).toBeUndefined()
    expect(permissionsOf(state, token())).toEqual(['jit.approve'])
  })

  it.each(['openid', 'jit:approve-nothing', undefined])(
    'cannot decide with the scope %s, and keeps its other permissions',
    (scope) => {
      const { scope: _, ...unscoped } = token()
      const narrow = scope === undefined ? unscoped : { ...unscoped, scope }

      expect(approvalObstacle(state, narrow)).toBe('the scope jit:approve is missing')
      expect(personObstacle(state, narrow)).toBeUndefined()
      expect(permissionsOf(state, narrow)).toEqual([])
    },
  )

  it('has no permission without its user', () => {
    const { userId: _, ...withoutUser } = token()

    expect(permissionsOf(state, withoutUser)).toEqual([])
  })
})
