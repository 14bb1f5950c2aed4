import { afterAll, describe } from 'vitest'
import { agentServiceMisbehaviours } from '../../../../server/misbehaviours/issuer/agent-services.ts'
import { outOfBandMisbehaviours } from '../../../../server/misbehaviours/issuer/out-of-band.ts'
import { cibaGrant, deviceCodeGrantType } from '../../../../server/wire/index.ts'
import { misbehavingHarness, type Probe, prove, type World } from '../world.ts'

const { harness, tenant } = await misbehavingHarness()
afterAll(() => harness.close())

const form = (world: World, path: string, fields: object) =>
  world.anonymous.post(path).type('form').send(fields)

/** A device, and what a person has decided about it. */
const device = async (world: World, decision?: 'allow' | 'deny'): Promise<string> => {
  const { body } = await form(world, '/oauth/device_authorization', { client_id: 'tv' })
  if (decision !== undefined) {
    const { headers } = await world.anonymous.get(`/oauth/device?user_code=${body.user_code}`)
    const [, csrf] = /lumoauth_consent=([^;]+)/.exec(String(headers['set-cookie'])) ?? []
    await world.anonymous
      .post('/oauth/device')
      .set({ cookie: `lumoauth_consent=${csrf}` })
      .type('form')
      .send({ user_code: body.user_code, user: 'alice@example.com', decision, csrf })
  }
  return body.device_code
}

const pollDevice = (world: World, device_code: string) =>
  form(world, '/oauth/token', { grant_type: deviceCodeGrantType, client_id: 'tv', device_code })

/** A CIBA request that a person has decided. */
const ciba = async (world: World, how: 'approve' | 'deny') => {
  const client = world.client()
  const { body } = await form(world, '/oauth/bc-authorize', {
    ...client,
    login_hint: 'alice@example.com',
    authorization_details: '[{"type":"payment","actions":["initiate"],"identifier":"inv_1"}]',
  })
  const { auth_req_id } = body
  await world.decide(how, await world.user(), auth_req_id)
  return (await form(world, '/oauth/token', { ...client, grant_type: cibaGrant, auth_req_id })).body
}

describe('an issuer that misbehaves where a person decides in another place', () => {
  const probes: Readonly<Record<string, Probe>> = {
    'issuer-device-forgets-denial': [
      async (world) => (await pollDevice(world, await device(world, 'deny'))).body.error,
      'access_denied',
      'authorization_pending',
    ],
    'issuer-device-code-works-twice': [
      async (world) => {
        const code = await device(world, 'allow')
        return [await pollDevice(world, code), await pollDevice(world, code)].map(
          ({ status }) => status,
        )
      },
      [200, 400],
      [200, 200],
    ],
    'issuer-device-ends-polling': [
      async (world) => (await pollDevice(world, await device(world))).body.error,
      'authorization_pending',
      'invalid_grant',
    ],
    'issuer-ciba-forgets-denial': [
      async (world) => (await ciba(world, 'deny')).error,
      'access_denied',
      'authorization_pending',
    ],
    'issuer-ciba-omits-request-id': [
      async (world) => {
        const { jit_request_id, task_id } = await ciba(world, 'approve')
        return [typeof jit_request_id, typeof task_id]
      },
      ['string', 'string'],
      ['undefined', 'undefined'],
    ],
  }

  prove(outOfBandMisbehaviours, probes, tenant)
})

describe('an issuer that misbehaves at attestation, token vault and AuthZEN', () => {
  const attest = async (world: World, agent: string) => {
    const { access_token } = (await world.control.post('/workload-token').send({})).body
    return world.anonymous.post(`/agents/${agent}/attest`).send({ attestation_token: access_token })
  }
  const read = { action: { name: 'read' }, resource: { type: 'documents' } }
  const remove = { action: { name: 'delete' }, resource: { type: 'documents' } }
  const evaluate = async (world: World, path: string, body: object) =>
    (
      await world
        .as(await world.login())
        .post(path)
        .send(body)
    ).body

  const probes: Readonly<Record<string, Probe>> = {
    'issuer-attests-for-any-agent': [
      async (world) => (await attest(world, 'report-bot')).status,
      401,
      200,
    ],
    'issuer-attest-tells-agents-apart': [
      async (world) =>
        (await attest(world, 'report-bot')).body.error_description ===
        (await attest(world, 'unknown')).body.error_description,
      true,
      false,
    ],
    'issuer-vault-forgets-delegation': [
      async (world) => {
        const { body } = await form(world, '/oauth/token', world.client('other-bot'))
        const request = world.as(body.access_token).post('/agents/me/connections/drive/token')
        return (await request.send({ user_id: 'alice@example.com' })).status
      },
      403,
      200,
    ],
    'issuer-vault-omits-scopes': [
      async (world) => (await evaluate(world, '/agents/me/connections/mail/token', {})).scopes,
      ['send'],
      undefined,
    ],
    'issuer-evaluation-allows-everything': [
      async (world) => [
        (await evaluate(world, '/authz/v1/evaluation', remove)).decision,
        (await evaluate(world, '/authz/v1/evaluations', { evaluations: [remove] })).evaluations[0]
          .decision,
      ],
      [false, false],
      [true, true],
    ],
    'issuer-evaluates-the-first-only': [
      async (world) => {
        const { evaluations } = await evaluate(world, '/authz/v1/evaluations', {
          evaluations: [read, remove],
        })
        return evaluations.length
      },
      2,
      1,
    ],
  }

  prove(agentServiceMisbehaviours, probes, tenant)
})
