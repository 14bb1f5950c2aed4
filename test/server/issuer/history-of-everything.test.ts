import { describe, expect, it } from 'vitest'
import { answerApproval, askApproval } from '../../../server/issuer/approvals.ts'
import { ask } from '../../../server/issuer/capability-check.ts'
import { evaluateTask } from '../../../server/issuer/evaluation.ts'
import { registerClient, useAssertion } from '../../../server/issuer/oauth/clients.ts'
import { askForDevice, denyDevice } from '../../../server/issuer/oauth/devices.ts'
import {
  giveGrant,
  pushRequest,
  redeemCode,
  refresh,
  revokeGrant,
  usePushedRequest,
} from '../../../server/issuer/oauth/grants.ts'
import { revokeToken } from '../../../server/issuer/oauth/tokens.ts'
import { createStream, knownEvents, verifyStream } from '../../../server/issuer/signals.ts'
import { toSnapshot } from '../../../server/issuer/snapshot.ts'
import { ApproverScript, RateLimits, RegisterClient } from '../../../server/wire/index.ts'
import { compacted } from './compacted.ts'
import { ada, alice, bot, deleting, exporting, reading, world } from './world.ts'

const redirectUri = 'https://app.test/cb'
const streaming = {
  clientId: 'rs',
  issuer: 'https://lumo.test',
  audience: [],
  requested: knownEvents,
}

/** A tenant with a client, a receiver and a budget, in which every event can happen repeatedly. */
const busy = () => {
  const here = world()
  const { tenant } = here
  const asked = RegisterClient.parse({ redirect_uris: [redirectUri] })
  const [{ client }] = tenant.run(registerClient, { asked, clientId: 'app' })
  const agent = { ...bot, budget: { tokensPerDay: 1000, callsPerHour: 1000 } }
  tenant.happen([{ type: 'agent.registered', agent, by: ada.id }])
  const streamId = tenant.run(createStream, streaming)[0].stream.id
  const granted = (name: string) => {
    const given = {
      clientId: 'app',
      userId: alice.id,
      scope: 'openid',
      codeHash: name,
      redirectUri,
    }
    tenant.run(giveGrant, given)
    const drawn = { client, codeHash: name, redirectUri, refreshHash: `${name} 1` }
    tenant.run(redeemCode, drawn)
    tenant.run(refresh, { client, usedHash: `${name} 1`, refreshHash: `${name} 2` })
  }
  /** Every event once; `times` tells the rounds apart. */
  const round = (times: number) => {
    const task = here.open()
    here.open({ parentTaskId: task.id })
    const token = here.exchange(here.request(task.id, reading()).id)
    here.approve(here.request(task.id, exporting()).id)
    here.deny(here.request(task.id, exporting('other')).id)
    tenant.run(revokeToken, { jti: token.jti, clientId: token.clientId })
    tenant.run(evaluateTask, { taskId: task.id, agentId: bot.id })
    here.request(here.open().id, exporting('undecided'))
    here.exchange(here.request(task.id, reading()).id)
    here.complete(task.id)
    const risky = here.open()
    for (const name of ['a', 'b', 'c']) here.deny(here.request(risky.id, deleting(name)).id)
    tenant.run(ask, { agent: bot, action: 'x' })
    granted(`kept ${times}`)
    granted(`gone ${times}`)
    tenant.run(revokeGrant, { refreshHash: `gone ${times} 2`, clientId: 'app' })
    tenant.run(giveGrant, {
      clientId: 'app',
      userId: alice.id,
      scope: 'openid',
      codeHash: `unused ${times}`,
      redirectUri,
    })
    const parameters = { state: 's'.repeat(100) }
    tenant.run(pushRequest, { uri: `urn:${times}`, clientId: 'app', parameters })
    tenant.run(usePushedRequest, { uri: `urn:${times}` })
    const device = { client: bot, codeHash: `device ${times}`, userCode: `CODE-${times}` }
    tenant.run(askForDevice, device)
    tenant.run(denyDevice, device)
    const expiresAt = here.clock.now() + 60
    tenant.run(useAssertion, { clientId: 'app', jti: `an id\n${times}`, expiresAt })
    const [{ approval }] = tenant.run(askApproval, {
      agentId: bot.id,
      task: 't',
      reason: 'r',
      impact: 'low',
      onBehalfOf: alice.id,
    })
    const answer = { approvalId: approval.id, userId: alice.id }
    tenant.run(answerApproval, { ...answer, as: 'approved' })
    const attempt = { requestId: 'jit_x', taskId: task.id, deliveryId: `${times}`, attempt: 1 }
    tenant.happen([
      { type: 'callback.delivered', ...attempt, status: 200 },
      { type: 'callback.failed', ...attempt, reason: 'r', final: true },
      { type: 'key.published', kid: `${times}`, alg: 'ES256' },
      { type: 'key.rotated', kid: `${times}`, alg: 'ES256' },
      { type: 'key.retired', kid: `${times}` },
      { type: 'policy.replaced', policy: { ...here.state.policy, approval_timeout: 300 + times } },
      { type: 'dialect.set', dialect: here.state.dialect },
      { type: 'approver.scripted', script: ApproverScript.parse({ decision: 'ignore' }) },
      { type: 'limits.set', limits: RateLimits.parse({ api: { limit: times + 1 } }) },
    ])
    tenant.run(verifyStream, { clientId: 'rs', streamId })
    for (const [at, { jti }] of here.state.streams.get(streamId)?.waiting.entries() ?? []) {
      const told = { streamId, jti, attempt: 1 }
      tenant.happen([
        at % 3 === 0
          ? { type: 'signal.delivered', ...told }
          : at % 3 === 1
            ? { type: 'signal.failed', ...told, reason: 'r', final: true }
            : { type: 'signal.acknowledged', streamId, jtis: [jti] },
      ])
    }
  }
  const pass = (seconds: number) => {
    here.clock.advance(seconds)
    tenant.happen([{ type: 'clock.moved', by: seconds }])
  }
  return { ...here, round, pass }
}

const month = 31 * 86_400
const rounds = (many: number) => {
  const here = busy()
  for (let times = 0; times < many; times += 1) {
    here.round(times)
    here.pass(month)
  }
  return here
}

describe('compacting a journal that holds every event', () => {
  it('keeps only what the tenant is made of, once everything else has expired', () => {
    const { tenant } = rounds(4)

    const { state } = compacted(tenant.journal.after(0))

    const kept = Object.entries(toSnapshot(state)).filter(
      ([, part]) => !Array.isArray(part) || part.length > 0,
    )
    expect([state.keptBytes, state.undecidedOf.size]).toEqual([0, 0])
    expect(kept.map(([name]) => name).sort()).toEqual([
      'agents',
      'approver',
      'clients',
      'dialect',
      'lastForgotten',
      'limits',
      'policy',
      'streams',
      'usage',
      'users',
    ])
  })

  it.each([0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80])(
    'keeps the newest %i entries and gives the same state',
    (newest) => {
      const { tenant } = rounds(5)
      const entries = tenant.journal.after(0)

      const { kept, state } = compacted(entries, newest)

      expect(kept).toEqual(entries.slice(entries.length - newest))
      expect(state).toEqual(tenant.state)
    },
  )

  it('keeps tasks, tokens and requests that are still open', () => {
    const here = rounds(3)
    here.round(3)

    const { state } = compacted(here.tenant.journal.after(0))

    expect(state).toEqual(here.state)
  })

  it.each([60, 700, 3600, 7200, 86_400])('gives the same state %i s later', (seconds) => {
    const here = rounds(2)
    here.round(2)
    here.pass(seconds)
    here.pass(60)

    const { state } = compacted(here.tenant.journal.after(0))

    expect(state).toEqual(here.state)
  })
})
