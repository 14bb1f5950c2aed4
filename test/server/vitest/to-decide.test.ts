import { describe } from 'vitest'
import { expect, test as it } from '../../../server/vitest/vitest.ts'
import { Policy } from '../../../server/wire/index.ts'

const policy = {
  rules: [
    {
      name: 'payments',
      when: { type: 'payment' },
      risk: 'critical',
      decision: 'ask',
      approvers: 2,
    },
    { name: 'late', when: { score_from: 40 }, risk: 'high', decision: 'deny', reason: 'Enough.' },
    { name: 'rest', risk: 'low', decision: 'approve', max_ttl: 60 },
  ],
}
const payment = { type: 'payment', actions: ['initiate'] }
const reading = { type: 'file_access', actions: ['read'] }

describe('toDecide', () => {
  it('passes for what the policy says, whether it is parsed or as written', () => {
    expect(policy).toDecide(payment, { decision: 'ask', rule: 'payments', approvers: 2 })
    expect(Policy.parse(policy)).toDecide(reading, { decision: 'approve', ttl: 60 })
    expect({}).toDecide(reading, { decision: 'approve', risk: 'low', rule: 'reads are approved' })
  })

  it('takes facts beside the detail, and asymmetric matchers', () => {
    expect(policy).toDecide(
      reading,
      { decision: 'deny', reason: expect.stringContaining('Enough') },
      { score: 40, agent: 'other', at: '2026-11-24T03:00:00Z' },
    )
    expect(policy).not.toDecide(reading, { decision: 'deny' }, { score: 39 })
  })

  it('tells the request and what the policy decides of it', () => {
    expect(() => expect(policy).toDecide(payment, { decision: 'approve' }, { score: 3 })).toThrow(
      `expected the policy to decide
  {"decision":"approve"}
of
  {"authorization_details":{"type":"payment","actions":["initiate"]},"score":3}
It decides
  {"decision":"ask","risk":"critical","rule":"payments","ttl":600,"max_ttl":900,"approvers":2,"timeout":300}`,
    )
    expect(() => expect(policy).not.toDecide(payment, { decision: 'ask' })).toThrow(
      'expected the policy not to decide',
    )
  })

  it.each<[string, unknown, unknown, object, object, string]>([
    [
      'what is not a policy',
      { rules: [{ name: 'a' }] },
      payment,
      { decision: 'ask' },
      {},
      'expected a policy\n  rules.0.risk: ',
    ],
    ['an agent', 'acme', payment, { decision: 'ask' }, {}, 'expected a policy\n  '],
    [
      'a detail without a type',
      policy,
      { actions: ['read'] },
      { decision: 'ask' },
      {},
      'expected an authorization detail',
    ],
    [
      'a fact that there is not',
      policy,
      payment,
      { decision: 'ask' },
      { scor: 1 },
      'Unrecognized key: "scor"',
    ],
    [
      'an outcome that there is not',
      policy,
      payment,
      { decide: 'ask' },
      {},
      'expected some of decision, risk, rule',
    ],
    ['no outcome', policy, payment, {}, {}, 'expected some of decision, risk, rule'],
  ])('throws for %s, also with not', (_, received, detail, expected, facts, told) => {
    const decide = (matcher: { toDecide: (...args: never[]) => void }) =>
      matcher.toDecide(...([detail, expected, facts] as never[]))

    expect(() => decide(expect(received))).toThrow(TypeError)
    expect(() => decide(expect(received))).toThrow(told)
    expect(() => decide(expect(received).not)).toThrow(told)
  })
})
