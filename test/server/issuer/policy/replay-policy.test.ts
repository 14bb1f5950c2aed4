import { describe, expect, it } from 'vitest'
import type { Facts } from '../../../../server/issuer/policy/policy.ts'
import { addDecisions, PolicyReplayer } from '../../../../server/issuer/policy/replay-policy.ts'
import { Policy } from '../../../../server/wire/index.ts'

const policy = Policy.parse({
  rules: [
    { name: 'ask writes', when: { actions: 'write' }, risk: 'high', decision: 'ask' },
    { name: 'deny deletions', when: { actions: 'delete' }, risk: 'high', decision: 'deny' },
    { name: 'approve', risk: 'low', decision: 'approve' },
  ],
})

const noon = Date.UTC(2026, 10, 24, 12) / 1000
const day = 86_400

const decided = (
  action: string,
  decision: 'approve' | 'ask' | 'deny',
  more: Partial<Facts> = {},
) => ({
  facts: {
    detail: { type: 'file_access', actions: [action] },
    agent: 'report-bot',
    score: 0,
    denials: 0,
    requestsLastMinute: 0,
    now: noon,
    ...more,
  },
  policy: { rule: 'old', risk: 'low', decision } as never,
})

const replay = (...all: ReturnType<typeof decided>[]) => {
  const replayer = new PolicyReplayer(policy)
  for (const it of all) replayer.add(it)
  return replayer
}

const counts = (approve = 0, ask = 0, deny = 0) => ({ approve, ask, deny })

describe('replaying a policy', () => {
  it('has no days and no changes without requests', () => {
    expect(PolicyReplayer.sum([replay()])).toEqual({ requests: 0, days: [], changes: [] })
  })

  it('counts decisions before and after by day, earliest first', () => {
    const { requests, days } = PolicyReplayer.sum([
      replay(
        decided('read', 'approve', { now: noon + day }),
        decided('write', 'approve'),
        decided('read', 'ask'),
        decided('delete', 'ask'),
        decided('write', 'ask'),
      ),
    ])

    expect(requests).toBe(5)
    expect(days).toEqual([
      // A person was asked three times, and would be asked twice: two are spared, one is new.
      { day: '2026-11-24', before: counts(1, 3), after: counts(1, 2, 1), spared: 2, given: 1 },
      { day: '2026-11-25', before: counts(1), after: counts(1), spared: 0, given: 0 },
    ])
  })

  it('counts equal changes as one, the most frequent first, each with its first request', () => {
    const { changes } = PolicyReplayer.sum([
      replay(
        decided('delete', 'approve'),
        decided('write', 'approve', { agent: 'first' }),
        decided('write', 'approve', { agent: 'second' }),
        decided('read', 'approve'),
      ),
    ])

    expect(changes).toStrictEqual([
      {
        before: { rule: 'old', decision: 'approve' },
        after: { rule: 'ask writes', decision: 'ask' },
        count: 2,
        example: {
          authorization_details: { type: 'file_access', actions: ['write'] },
          agent: 'first',
          at: '2026-11-24T12:00:00.000Z',
        },
      },
      expect.objectContaining({ count: 1, after: { rule: 'deny deletions', decision: 'deny' } }),
    ])
  })

  it('writes every fact of the example that is not its default', () => {
    const { changes } = PolicyReplayer.sum([
      replay(
        decided('write', 'deny', {
          ancestors: ['root-bot'],
          taskType: 'analysis',
          onBehalfOf: 'ada@example.com',
          justification: 'Q4',
          requestedTtl: 60,
          score: 4,
          denials: 1,
          agentDenials: 2,
          requestsLastMinute: 3,
        }),
      ),
    ])

    expect(changes[0]?.example).toEqual({
      authorization_details: { type: 'file_access', actions: ['write'] },
      agent: 'report-bot',
      ancestors: ['root-bot'],
      task_type: 'analysis',
      on_behalf_of: 'ada@example.com',
      justification: 'Q4',
      requested_ttl: 60,
      score: 4,
      denials: 1,
      agent_denials: 2,
      requests_last_minute: 3,
      at: '2026-11-24T12:00:00.000Z',
    })
  })

  it('adds several replays up', () => {
    const one = replay(decided('write', 'approve'), decided('read', 'ask'))
    const other = replay(
      decided('write', 'approve'),
      decided('read', 'ask'),
      decided('read', 'approve', { now: noon + day }),
    )

    const { requests, days, changes } = PolicyReplayer.sum([one, other])

    expect(requests).toBe(5)
    expect(days).toEqual([
      { day: '2026-11-24', before: counts(2, 2), after: counts(2, 2), spared: 2, given: 2 },
      { day: '2026-11-25', before: counts(1), after: counts(1), spared: 0, given: 0 },
    ])
    expect(changes.map(({ count }) => count)).toEqual([2, 2])
  })

  it('adds counts by decision', () => {
    expect(addDecisions(counts(1, 2, 3), counts(10, 20, 30))).toEqual(counts(11, 22, 33))
  })
})
