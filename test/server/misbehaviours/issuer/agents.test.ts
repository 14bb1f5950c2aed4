import { afterAll, describe } from 'vitest'
import { agentMisbehaviours } from '../../../../server/misbehaviours/issuer/agents.ts'
import { accessTokenType, tokenExchange } from '../../../../server/wire/index.ts'
import { decode, misbehavingHarness, type Probe, prove, remove, type World } from '../world.ts'

const { harness, tenant } = await misbehavingHarness()
afterAll(() => harness.close())

const delegated = async (world: World, agent: string) =>
  world.anonymous
    .post('/oauth/token')
    .type('form')
    .send({
      grant_type: tokenExchange,
      subject_token: await world.user('alice@example.com'),
      subject_token_type: accessTokenType,
      actor_token: await world.login(agent),
      actor_token_type: accessTokenType,
    })

const asked = async (world: World, agent: string, action = 'read:documents') =>
  world
    .as(await world.login(agent))
    .post('/agents/ask')
    .send({ action })

/** A push approval that waits for Alice, as the agent sees it. */
const pushed = async (world: World, seenBy: string) => {
  const url = `${world.issuer}/agents/me/approvals`
  const body = { task_id: 't', reason: 'why not', on_behalf_of: 'alice@example.com' }
  const { body: made } = await world
    .as(await world.login())
    .post(url)
    .send(body)
  const token = await world.login(seenBy)
  return world.as(token).get(`${url}/${made.approval_token}/status`)
}

let helpers = 0

describe('an issuer that misbehaves towards agents', () => {
  const probes: Readonly<Record<string, Probe>> = {
    'issuer-delegates-to-any-agent': [
      async (world) => (await delegated(world, 'other-bot')).status,
      403,
      200,
    ],
    'issuer-forgets-parent': [
      async (world) => {
        const name = `helper-${++helpers}`
        const parent = await world.login('small-bot')
        const { body } = await world.as(parent).post('/agents/register').send({ name })
        const { client_id, client_secret } = body
        const helper = await world.login({ client_id, client_secret })
        await world.as(helper).post('/agents/ask').send({ action: 'x' })
        return (await world.as(helper).post('/agents/ask').send({ action: 'x' })).status
      },
      429,
      200,
    ],
    'issuer-hides-actor': [
      async (world) =>
        decode((await delegated(world, 'report-bot')).body.access_token).claims.act?.sub,
      'agent:report-bot',
      undefined,
    ],
    'issuer-ask-allows-everything': [
      async (world) => (await asked(world, 'report-bot', 'launch:rockets')).body.allowed,
      false,
      true,
    ],
    'issuer-ignores-budget': [
      async (world) => {
        await asked(world, 'small-bot')
        return (await asked(world, 'small-bot')).status
      },
      429,
      200,
    ],
    'issuer-evaluates-all-well': [
      async (world) => {
        const [agent, approver] = [await world.login(), await world.user()]
        const task = await world.open(agent)
        for (let denials = 0; denials < 3; denials++) {
          const { body } = await world.ask(agent, task, remove)
          await world.decide('deny', approver, body.request_id)
        }
        const { body } = await world.as(agent).post(`/jit/task/${task}/evaluate`).send({})
        return [body.active, body.action]
      },
      [false, 'suspended'],
      [true, 'none'],
    ],
    'issuer-answers-for-user': [
      async (world) => (await pushed(world, 'report-bot')).body.status,
      'pending',
      'approved',
    ],
    'issuer-shows-approvals-to-others': [
      async (world) => (await pushed(world, 'other-bot')).status,
      403,
      200,
    ],
  }

  prove(agentMisbehaviours, probes, tenant)
})
