import { describe, expect, it } from 'vitest'
import { answerApproval, approvalStatus, askApproval } from '../../../server/issuer/approvals.ts'
import { ada, alice, bot, errorOf, stranger, world } from './world.ts'

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
    agentHeld = false,
  ) => tenant.run(answerApproval, { approvalId, as: 'approved', userId, agentHeld })

  it('is refused to an agent that may not act for users, and for nobody', () => {
    const { tenant } = world()
    const order = { task: 't', reason: 'r', impact: 'low', onBehalfOf: alice.email } as const
    const to = (more: object) =>
      errorOf(() => tenant.run(askApproval, { agentId: bot.id, ...order, ...more }))

    expect(to({ agentId: stranger.id })).toBe('delegation_not_allowed')
    expect(to({ onBehalfOf: 'nobody' })).toBe('not_found')
  })

  it('is answered by the person who was asked and by nobody else, once and in time', () => {
    const here = world()
    const { id } = asked(here)

    expect(errorOf(() => answer(here, id, ada.id))).toBe('approval_forbidden')
    expect(errorOf(() => answer(here, id, alice.id, true))).toBe('approval_forbidden')
    expect(errorOf(() => answer(here, 'apr_x'))).toBe('not_found')
    answer(here, id)
    expect(errorOf(() => answer(here, id))).toBe('already_decided')
    const late = asked(here)
    here.clock.advance(120)
    expect(errorOf(() => answer(here, late.id))).toBe('request_expired')
  })

  it('waits 120 s, and is forgotten later', () => {
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
