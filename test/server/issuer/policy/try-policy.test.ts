import { describe, expect, it } from 'vitest'
import { factsOf, tryPolicy } from '../../../../server/issuer/policy/try-policy.ts'
import { Policy, RequestFacts } from '../../../../server/wire/index.ts'

const deciding = (rule: object, more: object = {}) =>
  Policy.parse({ default_ttl: 'PT5M', rules: [{ name: 'all', risk: 'low', ...rule }], ...more })

const given = (more: object = {}) =>
  factsOf(
    RequestFacts.parse({
      authorization_details: { type: 'file_access', actions: ['read'], identifier: 'doc_1' },
      agent: 'report-bot',
      at: '2026-11-24T12:00:00Z',
      ...more,
    }),
  )

describe('the decision of a policy', () => {
  it('has a lifetime when it approves, and nothing about people', () => {
    expect(tryPolicy(deciding({ decision: 'approve' }), given())).toStrictEqual({
      decision: 'approve',
      risk: 'low',
      rule: 'all',
      ttl: 300,
    })
  })

  it('has lifetimes, the number of people and the time they have when it asks', () => {
    const rule = { decision: 'ask', risk: 'high', approvers: 2 }

    expect(tryPolicy(deciding(rule, { approval_timeout: 'PT7M' }), given())).toStrictEqual({
      decision: 'ask',
      risk: 'high',
      rule: 'all',
      ttl: 300,
      max_ttl: 900,
      approvers: 2,
      timeout: 420,
    })
    expect(tryPolicy(deciding({ ...rule, timeout: 60 }), given())).toMatchObject({ timeout: 60 })
  })

  it('has the reason, and no lifetime, when it denies', () => {
    const rule = { decision: 'deny', reason: 'Not on Tuesdays.' }

    expect(tryPolicy(deciding(rule), given())).toStrictEqual({
      decision: 'deny',
      risk: 'low',
      rule: 'all',
      reason: 'Not on Tuesdays.',
    })
  })

  it('names a smaller request that would pass', () => {
    const policy = Policy.parse({
      rules: [
        { name: 'no deletions', when: { actions: 'delete' }, risk: 'high', decision: 'deny' },
        { name: 'the rest', risk: 'low', decision: 'approve' },
      ],
    })
    const detail = { type: 'file_access', actions: ['read', 'delete'], identifier: 'doc_1' }

    expect(tryPolicy(policy, given({ authorization_details: detail })).would_pass).toEqual({
      ...detail,
      actions: ['read'],
    })
  })
})

describe('the facts of a request', () => {
  it('have every member of the request, and the time in epoch seconds', () => {
    const facts = given({
      ancestors: ['root-bot'],
      task_type: 'analysis',
      on_behalf_of: 'ada@example.com',
      justification: 'Q4',
      requested_ttl: 60,
      score: 4,
      denials: 1,
      agent_denials: 2,
      requests_last_minute: 3,
    })

    expect(facts).toEqual({
      detail: { type: 'file_access', actions: ['read'], identifier: 'doc_1' },
      agent: 'report-bot',
      ancestors: ['root-bot'],
      taskType: 'analysis',
      onBehalfOf: 'ada@example.com',
      justification: 'Q4',
      requestedTtl: 60,
      score: 4,
      denials: 1,
      agentDenials: 2,
      requestsLastMinute: 3,
      now: Date.UTC(2026, 10, 24, 12) / 1000,
    })
  })
})
