import { afterAll, describe } from 'vitest'
import { decisionMisbehaviours } from '../../../server/misbehaviours/issuer/decisions.ts'
import { exchangeMisbehaviours } from '../../../server/misbehaviours/issuer/exchanges.ts'
import { grantMisbehaviours } from '../../../server/misbehaviours/issuer/grants.ts'
import { requestMisbehaviours } from '../../../server/misbehaviours/issuer/requests.ts'
import { taskMisbehaviours } from '../../../server/misbehaviours/issuer/tasks.ts'
import { decode, misbehavingHarness, type Probe, prove, read, remove, type World } from './world.ts'

const { harness, tenant } = await misbehavingHarness()
afterAll(() => harness.close())

const details = async (world: World) => {
  const { token, answer } = await world.jit()
  return {
    granted: decode(token).claims.authorization_details,
    told: answer.body.authorization_details,
  }
}

const lifetime = (token: string) => {
  const { exp, iat } = decode(token).claims
  return exp - iat
}

/** The status of a request after this decision, and then the answer to its exchange. */
const exchangedOnce =
  (...decisions: ('approve' | 'deny' | `PT${string}`)[]) =>
  async (world: World) => {
    const { agent, id } = await world.pending()
    const approver = await world.user()
    for (const it of decisions) {
      if (it === 'approve' || it === 'deny') await world.decide(it, approver, id)
      else await world.advance(it)
    }
    return (await world.exchange(agent, id)).status
  }

const decidedBy =
  (email: string, task: object = {}) =>
  async (world: World) => {
    const { id } = await world.pending(task)
    return (await world.decide('approve', await world.user(email), id)).status
  }

const itemOf = (world: World) => async (id: string) => {
  const { body } = await world.pendingList(await world.user())
  return body.requests?.find((it: { request_id: string }) => it.request_id === id)
}

/** The answer to another request once the agent has reached its limit of pending requests. */
const afterMany = async (world: World) => {
  await world.control
    .put('/policy')
    .send({ limits: { pending_per_agent: 1 } })
    .expect(200)
  await world.pending()
  return async (name: string) => {
    const token = await world.login(name)
    return (await world.ask(token, await world.open(token), remove)).status
  }
}

/** What is answered while a zone 14 hours ahead of UTC has the only hours in which requests are approved. */
const firstAnswerInHours = async (world: World) => {
  const { body } = await world.control.get('/clock').expect(200)
  const hour = (more: number) =>
    `${String((new Date(body.now).getUTCHours() + 14 + more) % 24).padStart(2, '0')}:00`
  const time = { from: hour(-1), to: hour(2), zone: 'Pacific/Kiritimati' }
  await world.control
    .put('/policy')
    .send({
      rules: [
        { name: 'hours', when: { time }, risk: 'low', decision: 'approve' },
        { name: 'rest', risk: 'low', decision: 'deny' },
      ],
    })
    .expect(200)
  const agent = await world.login()
  return (await world.ask(agent, await world.open(agent))).body
}

const firstAnswer = async (world: World) => (await world.pending()).request.body

const firstStatus = async (world: World) => {
  const { agent, id } = await world.pending()
  return (await world.status(agent, id)).body
}

describe('an issuer that misbehaves with requests', () => {
  const probes: Readonly<Record<string, Probe>> = {
    'issuer-widens-actions': [
      async (world) => (await details(world)).granted[0].actions,
      ['read'],
      ['read', 'delete'],
    ],
    'issuer-drops-identifier': [
      async (world) => (await details(world)).granted[0].identifier,
      'doc_9982',
      undefined,
    ],
    'issuer-swaps-identifier': [
      async (world) => (await details(world)).granted[0].identifier,
      'doc_9982',
      'doc_of_another_agent',
    ],
    'issuer-adds-detail': [async (world) => (await details(world)).granted.length, 1, 2],
    'issuer-narrows-silently': [
      async (world) => {
        const { granted, told } = await details(world)
        return [granted[0].actions, told[0].actions]
      },
      [['read'], ['read']],
      [undefined, ['read']],
    ],
    'issuer-omits-details': [
      async (world) => {
        const { granted, told } = await details(world)
        return [granted, told]
      },
      [[read()], [read()]],
      [[read()], undefined],
    ],
    'issuer-token-without-details': [
      async (world) => {
        const { granted, told } = await details(world)
        return [granted, told]
      },
      [[read()], [read()]],
      [undefined, [read()]],
    ],

    'issuer-skips-ttl-cap': [
      async (world) => {
        const { agent, id } = await world.pending()
        await world.decide('approve', await world.user(), id, { ttl: 2000 })
        const late = (await world.exchange(agent, id)).body.access_token
        return [lifetime((await world.jit(read(), { requested_ttl: 3000 })).token), lifetime(late)]
      },
      [900, 900],
      [3000, 2000],
    ],
    'issuer-outlives-task': [
      async (world) => {
        const agent = await world.login()
        const task = await world.open(agent)
        await world.advance('PT55M')
        const { body } = await world.ask(agent, task, read(), { requested_ttl: 600 })
        return lifetime((await world.exchange(agent, body.request_id)).body.access_token)
      },
      300,
      600,
    ],
    'issuer-misstates-granted-ttl': [
      async (world) => {
        const { request, token } = await world.jit()
        return request.body.granted_ttl - lifetime(token)
      },
      0,
      60,
    ],

    'issuer-exchanges-twice': [
      async (world) => {
        const { agent, request, token } = await world.jit()
        const again = await world.exchange(agent, request.body.request_id)
        const second = again.body.access_token
        return [again.status, second && decode(second).claims.jti !== decode(token).claims.jti]
      },
      [403, undefined],
      [200, true],
    ],
    'issuer-exchanges-pending': [exchangedOnce(), 403, 200],
    'issuer-exchanges-denied': [exchangedOnce('deny'), 403, 200],
    'issuer-exchanges-late': [exchangedOnce('approve', 'PT20M'), 403, 200],
    'issuer-exchanges-for-others': [
      async (world) => {
        const agent = await world.login()
        const { body } = await world.ask(agent, await world.open(agent))
        return (await world.exchange(await world.login('other-bot'), body.request_id)).status
      },
      403,
      200,
    ],
    'issuer-exchanges-after-completion': [
      async (world) => {
        const agent = await world.login()
        const task = await world.open(agent)
        const { body } = await world.ask(agent, task)
        await world.complete(agent, task)
        return (await world.exchange(agent, body.request_id)).status
      },
      403,
      200,
    ],

    'issuer-ignores-pending-limit': [
      async (world) => (await afterMany(world))('report-bot'),
      429,
      201,
    ],
    'issuer-shares-pending-limit': [
      async (world) => (await afterMany(world))('other-bot'),
      201,
      429,
    ],
    'issuer-approves-everything': [
      async (world) => (await firstAnswer(world)).status,
      'pending',
      'approved',
    ],
    'issuer-misjudges-risk': [
      async (world) => (await firstAnswer(world)).risk_level,
      'high',
      'low',
    ],
    'issuer-ignores-time-zones': [
      async (world) => (await firstAnswerInHours(world)).status,
      'approved',
      'denied',
    ],
    'issuer-forgets-justification': [
      async (world) => (await itemOf(world)((await world.pending()).id)).justification,
      'a query',
      null,
    ],
    'issuer-requests-after-completion': [
      async (world) => {
        const agent = await world.login()
        const task = await world.open(agent)
        await world.complete(agent, task)
        return (await world.ask(agent, task)).status
      },
      400,
      201,
    ],
    'issuer-never-suspends': [
      async (world) => {
        const [agent, approver] = [await world.login(), await world.user()]
        const task = await world.open(agent)
        for (let denials = 0; denials < 3; denials++) {
          const { body } = await world.ask(agent, task, remove)
          await world.decide('deny', approver, body.request_id)
        }
        return (await world.ask(agent, task)).status
      },
      400,
      201,
    ],
    'issuer-acts-for-any-user': [
      async (world) =>
        (
          await world
            .as(await world.login('other-bot'))
            .post('/jit/task')
            .send({ on_behalf_of: 'alice@example.com' })
        ).status,
      403,
      201,
    ],

    'issuer-lets-agent-approve': [
      async (world) => {
        const { agent, id } = await world.pending()
        return (await world.decide('approve', agent, id)).status
      },
      403,
      200,
    ],
    'issuer-lets-any-user-approve': [decidedBy('alice@example.com'), 403, 200],
    'issuer-allows-self-approval': [
      decidedBy('approver@example.com', { on_behalf_of: 'approver@example.com' }),
      403,
      200,
    ],
    'issuer-counts-approver-twice': [
      async (world) => {
        const two = { name: 'two', when: {}, risk: 'high', decision: 'ask', approvers: 2 }
        await world.control.put('/policy').send({ rules: [two] })
        const { agent, id } = await world.pending()
        const approver = await world.user()
        await world.decide('approve', approver, id)
        await world.decide('approve', approver, id)
        return (await world.status(agent, id)).body.status
      },
      'pending',
      'approved',
    ],
    'issuer-decides-twice': [
      async (world) => {
        const { agent, id } = await world.pending()
        await world.decide('approve', await world.user(), id)
        const again = await world.decide('deny', await world.user('second@example.com'), id)
        return [again.status, (await world.status(agent, id)).body.status]
      },
      [400, 'approved'],
      [200, 'denied'],
    ],
    'issuer-approves-expired': [
      async (world) => {
        const { agent, id } = await world.pending()
        await world.advance('PT10M')
        const late = await world.decide('approve', await world.user(), id)
        return [late.status, (await world.status(agent, id)).body.status]
      },
      [400, 'expired'],
      [200, 'approved'],
    ],
    'issuer-forgets-approval': [
      async (world) => {
        const { agent, id } = await world.pending()
        const { body } = await world.decide('approve', await world.user(), id)
        return [body.status, (await world.status(agent, id)).body.status]
      },
      ['approved', 'approved'],
      ['approved', 'pending'],
    ],
    'issuer-forgets-deny-reason': [
      async (world) => {
        const { agent, id } = await world.pending()
        await world.decide('deny', await world.user(), id, { agent_message: 'not today' })
        return (await world.status(agent, id)).body.deny_reason
      },
      'not today',
      undefined,
    ],
    'issuer-shows-notes-to-agent': [
      async (world) => {
        const { agent, id } = await world.pending()
        const text = { reason: 'the auditor is here', agent_message: 'not today' }
        await world.decide('deny', await world.user(), id, text)
        return (await world.status(agent, id)).body.agent_message
      },
      'not today',
      'the auditor is here',
    ],
    'issuer-misattributes-decision': [
      async (world) => {
        const { id } = await world.pending()
        await world.decide('deny', await world.user(), id)
        const { body } = await world.control.get('/journal?type=permission.denied')
        return body.entries.find((it: { requestId: string }) => it.requestId === id).by
      },
      'user:approver',
      'policy',
    ],

    'issuer-denied-turns-approved': [
      async (world) => {
        const { agent, id } = await world.pending()
        await world.decide('deny', await world.user(), id)
        const looks = [await world.status(agent, id), await world.status(agent, id)]
        return looks.map(({ body }) => body.status)
      },
      ['denied', 'denied'],
      ['denied', 'approved'],
    ],
    'issuer-ignores-request-expiry': [
      async (world) => {
        const { agent, id } = await world.pending()
        await world.advance('PT10M')
        return (await world.status(agent, id)).body.status
      },
      'expired',
      'pending',
    ],
    'issuer-shows-requests-to-others': [
      async (world) => {
        const { id } = await world.pending()
        return (await world.status(await world.login('other-bot'), id)).status
      },
      403,
      200,
    ],
    'issuer-omits-status-url': [
      async (world) => 'status_url' in (await firstAnswer(world)),
      true,
      false,
    ],
    'issuer-omits-request-id': [
      async (world) => 'request_id' in (await firstStatus(world)),
      true,
      false,
    ],
    'issuer-details-as-array': [
      async (world) => (await firstStatus(world)).authorization_details,
      remove,
      [remove],
    ],
    'issuer-sends-null': [async (world) => (await firstAnswer(world)).token_url, undefined, null],
    'issuer-other-prefix': [
      async (world) => (await firstAnswer(world)).status_url.split('/')[1],
      't',
      'orgs',
    ],

    'issuer-lists-other-tenants': [
      async (world) => (await itemOf(world)((await world.neighbour().pending()).id)) !== undefined,
      false,
      true,
    ],
    'issuer-approves-by-any-client': [
      async (world) => {
        const subject_token = await world.user()
        const { body } = await world.anonymous.post('/oauth/token').type('form').send({
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token,
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          scope: 'read:documents',
        })
        return (await world.pendingList(body.access_token)).status
      },
      403,
      200,
    ],
    'issuer-lists-for-any-token': [
      async (world) => (await world.pendingList(await world.user('alice@example.com'))).status,
      403,
      200,
    ],
    'issuer-renames-pending-list': [
      async (world) => 'requests' in (await world.pendingList(await world.user())).body,
      true,
      false,
    ],
    'issuer-hides-details-from-approver': [
      async (world) => (await itemOf(world)((await world.pending()).id)).authorization_details,
      remove,
      { type: 'file_access' },
    ],

    'issuer-completes-without-revoking': [
      async (world) => {
        const { agent, task, token } = await world.jit()
        await world.complete(agent, task)
        return (await world.introspect(token)).body.active
      },
      false,
      true,
    ],
    'issuer-forgets-children': [
      async (world) => {
        const agent = await world.login()
        const parent = await world.open(agent)
        const child = await world.open(agent, { parent_task_id: parent })
        await world.complete(agent, parent)
        return (await world.ask(agent, child)).status
      },
      400,
      201,
    ],
    'issuer-completes-for-others': [
      async (world) => {
        const task = await world.open(await world.login())
        return (await world.complete(await world.login('other-bot'), task)).status
      },
      403,
      200,
    ],
    'issuer-completes-empty': [
      async (world) => {
        const agent = await world.login()
        return (await world.complete(agent, await world.open(agent))).text === ''
      },
      false,
      true,
    ],
  }

  prove(
    [
      ...decisionMisbehaviours,
      ...exchangeMisbehaviours,
      ...grantMisbehaviours,
      ...requestMisbehaviours,
      ...taskMisbehaviours,
    ],
    probes,
    tenant,
  )
})
