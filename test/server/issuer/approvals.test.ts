import { describe, expect, it } from 'vitest'
import {
  answerApproval,
  approvalStatus,
  askApproval,
  requireOwnApproval,
} from '../../../server/issuer/approvals.ts'
import { ada, alice, bot, errorOf, refusalOf, start, stranger, world } from './world.ts'

describe('a push approval', () => {
  const asked = (here: ReturnType<typeof world>) =>
    here.tenant.run(askApproval, {
      agentId: bot.id,
      task: 'deploy',
      reason: 'because',
      impact: 'high',
      onBehalfOf: alice.email,
    })[0].approval
  const answer = (
    { tenant }: ReturnType<typeof world>,
    approvalId: string,
    userId = alice.id,
    obstacle?: string,
  ) => tenant.run(answerApproval, { approvalId, as: 'approved', userId, obstacle })

  it('is refused with delegation_not_allowed to an agent that may not act for users, with not_found for an unknown user', () => {
    const { tenant } = world()
    const order = { task: 't', reason: 'r', impact: 'low', onBehalfOf: alice.email } as const
    const to = (more: object) =>
      errorOf(() => tenant.run(askApproval, { agentId: bot.id, ...order, ...more }))

    expect(to({ agentId: stranger.id })).toBe('delegation_not_allowed')
    expect(to({ onBehalfOf: 'unknown' })).toBe('not_found')
  })

  it('is answered once, in time, and only by the person who was asked; others get approval_forbidden', () => {
    const here = world()
    const { id } = asked(here)

    expect(errorOf(() => answer(here, id, ada.id))).toBe('approval_forbidden')
    expect(errorOf(() => answer(here, id, alice.id, 'an agent cannot decide'))).toBe(
      'approval_forbidden',
    )
    expect(errorOf(() => answer(here, 'apr_x'))).toBe('not_found')
    answer(here, id)
    expect(refusalOf(() => answer(here, id))).toEqual({
      error: 'already_decided',
      requestId: id,
      status: 'approved',
      by: alice.id,
    })
    const late = asked(here)
    here.clock.advance(120)
    expect(errorOf(() => answer(here, late.id))).toBe('request_expired')
  })

  it('records the question exactly as the agent sent it', () => {
    const here = world()
    const order = { agentId: bot.id, task: 't', reason: 'r', impact: 'low' } as const
    const meta = { amount: 5 }

    const [{ approval }] = here.tenant.run(askApproval, { ...order, onBehalfOf: alice.id, meta })

    expect(approval).toStrictEqual({
      ...order,
      id: 'apr_1',
      userId: alice.id,
      askedAt: start,
      expiresAt: start + 120,
      meta,
    })
    expect(asked(here)).not.toHaveProperty('meta')
  })

  it('is readable only by the agent that asked; another gets request_forbidden', () => {
    const here = world()
    const { id } = asked(here)
    const seen = (approvalId: string, agentId: string) => () =>
      requireOwnApproval(here.state, approvalId, agentId)

    expect(refusalOf(seen(id, stranger.id))).toEqual({ error: 'request_forbidden', requestId: id })
    expect(errorOf(seen('apr_x', bot.id))).toBe('not_found')
    expect(seen(id, bot.id)().approval.id).toBe(id)
  })

  it('counts against the limit of its own agent only', () => {
    const here = world({ policy: { limits: { approvals_per_agent: 1 } } })
    const other = { ...bot, id: 'agt_other', name: 'other', clientId: 'other' }
    here.tenant.happen([{ type: 'agent.registered', agent: other, by: 'ada' }])
    asked(here)

    here.tenant.run(askApproval, {
      agentId: other.id,
      task: 't',
      reason: 'r',
      impact: 'low',
      onBehalfOf: alice.id,
    })

    expect(here.state.approvals.size).toBe(2)
  })

  it('expires after 120 s and is deleted later', () => {
    const here = world()
    const { id } = asked(here)
    const status = () => {
      const record = here.state.approvals.get(id)
      return record && approvalStatus(record, here.clock.now())
    }

    here.clock.advance(119)
    expect(status()).toBe('pending')
    here.clock.advance(1)
    expect(status()).toBe('expired')
    here.clock.advance(4000)
    here.open()
    expect(status()).toBeUndefined()
  })
})
