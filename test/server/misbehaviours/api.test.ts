import { afterAll, describe } from 'vitest'
import { detailMisbehaviours } from '../../../server/misbehaviours/api/details.ts'
import { documentMisbehaviours } from '../../../server/misbehaviours/api/documents.ts'
import { apiErrorMisbehaviours } from '../../../server/misbehaviours/api/errors.ts'
import { apiTokenMisbehaviours } from '../../../server/misbehaviours/api/tokens.ts'
import { misbehavingHarness, type Probe, prove, read, type World } from './world.ts'

const { harness, tenant } = await misbehavingHarness()
afterAll(() => harness.close())

const statusWith =
  (token: (world: World) => Promise<string | undefined>, id = 'doc_9982') =>
  async (world: World) =>
    (await world.document(id, await token(world))).status

const forged = (order: object) => (world: World) =>
  world.forge({ ...order, claims: { authorization_details: [read()], ...Object(order).claims } })

const holding =
  (...details: object[]) =>
  (world: World) =>
    world.holding(...details)

/** Whether a JIT token is still accepted after this has happened. */
const statusAfter =
  (happening: (world: World, jit: { agent: string; task: string }) => Promise<unknown>) =>
  async (world: World) => {
    const jit = await world.jit()
    await world.document('doc_9982', jit.token)
    await happening(world, jit)
    return (await world.document('doc_9982', jit.token)).status
  }

const put = (world: World, token: string, id: string, title: string) =>
  world.as(token).put(`${world.documents}/${id}`).send({ title, body: 'new' })

const everything = { ...read(), actions: ['read', 'write', 'delete'] }
const refused = (world: World) => world.document('doc_9982', 'no-token')
const challenged = async (world: World) => world.document('doc_9982', await world.login())

describe('a misbehaving resource server', () => {
  const probes: Readonly<Record<string, Probe>> = {
    'api-accepts-any-token': [statusWith(async () => 'no-token'), 401, 200],
    'api-accepts-no-token': [statusWith(async () => undefined), 401, 200],
    'api-accepts-token-in-query': [
      async (world) =>
        (await world.document(`doc_9982?access_token=${(await world.jit()).token}`)).status,
      401,
      200,
    ],
    'api-accepts-expired': [statusAfter((world) => world.advance('PT20M')), 401, 200],
    'api-accepts-forged': [statusWith(forged({ key: 'foreign' })), 401, 200],
    'api-accepts-unsigned': [statusWith(forged({ key: 'none' })), 401, 200],
    'api-accepts-hmac': [statusWith(forged({ key: 'hmac' })), 401, 200],
    'api-ignores-typ': [statusWith(forged({ header: { typ: 'secevent+jwt' } })), 401, 200],
    'api-ignores-aud': [
      statusWith(forged({ claims: { aud: 'https://elsewhere.invalid' } })),
      401,
      200,
    ],
    'api-ignores-tenant': [
      async (world) => statusWith(async () => (await world.neighbour().jit()).token)(world),
      401,
      200,
    ],
    'api-ignores-revocation': [
      statusAfter((world, { agent, task }) => world.complete(agent, task)),
      401,
      200,
    ],
    'api-remembers-introspection': [
      statusAfter((world, { agent, task }) => world.complete(agent, task)),
      401,
      200,
    ],

    'api-ignores-details': [statusWith((world) => world.login()), 403, 200],
    'api-ignores-scope': [
      statusWith((world) => world.login('report-bot', { scope: 'write:reports' }), 'doc_inner'),
      403,
      200,
    ],
    'api-ignores-identifier': [statusWith(holding(read('doc_other'))), 403, 200],
    'api-ignores-action': [
      async (world) => (await put(world, await world.holding(read()), 'doc_9982', 'Q4')).status,
      403,
      200,
    ],
    'api-ignores-type': [statusWith(holding({ ...read(), type: 'api_call' })), 403, 200],
    'api-ignores-case': [statusWith(holding({ ...read(), actions: ['Read'] })), 403, 200],
    'api-ignores-locations': [
      statusWith(holding({ ...read(), locations: ['https://elsewhere.invalid'] })),
      403,
      200,
    ],
    'api-empty-means-all': [statusWith(holding({ ...read(), actions: [] })), 403, 200],
    'api-adds-details-up': [
      statusWith(holding(read('doc_other'), { ...read(), actions: ['write'] })),
      403,
      200,
    ],
    'api-never-satisfied': [statusWith(async (world) => (await world.jit()).token), 200, 403],

    'api-forgets-writes': [
      async (world) => {
        const token = await world.holding(everything)
        const { status } = await put(world, token, 'doc_9982', 'Rewritten')
        return [status, (await world.document('doc_9982', token)).body.title]
      },
      [200, 'Rewritten'],
      [200, 'Q4'],
    ],
    'api-forgets-deletes': [
      async (world) => {
        const token = await world.holding(everything)
        const { status } = await world.as(token).delete(`${world.documents}/doc_9982`)
        return [status, (await world.document('doc_9982', token)).status]
      },
      [204, 404],
      [204, 200],
    ],
    'api-writes-before-asking': [
      async (world) => {
        const [agent, reader] = [await world.login(), await world.holding(read())]
        const before = (await world.document('doc_9982', reader)).body.version
        const { status } = await put(world, agent, 'doc_9982', 'Smuggled')
        return [status, (await world.document('doc_9982', reader)).body.version - before]
      },
      [403, 0],
      [403, 1],
    ],
    'api-lists-everything': [
      async (world) => {
        const { body } = await world.as(await world.login()).get(world.documents)
        return body.documents.map(({ id }: { id: string }) => id).sort()
      },
      ['doc_inner', 'doc_open'],
      ['doc_9982', 'doc_inner', 'doc_open', 'doc_other'],
    ],
    'api-lists-bodies': [
      async (world) => {
        const { body } = await world.as(await world.login()).get(world.documents)
        return 'body' in body.documents[0]
      },
      false,
      true,
    ],
    'api-reveals-existence': [
      async (world) => [
        await statusWith(() => world.login(), 'doc_nowhere')(world),
        await statusWith(() => world.login())(world),
      ],
      [403, 403],
      [404, 403],
    ],
    'api-reveals-existence-to-strangers': [
      async (world) => [
        await statusWith(async () => 'x', 'doc_nowhere')(world),
        await statusWith(async () => 'x')(world),
      ],
      [401, 401],
      [404, 401],
    ],

    'api-403-instead-of-401': [async (world) => (await refused(world)).status, 401, 403],
    'api-hides-authenticate': [
      async (world) => (await refused(world)).headers['www-authenticate'] !== undefined,
      true,
      false,
    ],
    'api-accuses-without-token': [
      async (world) =>
        (await world.document('doc_open')).headers['www-authenticate']?.split(', resource_')[0],
      'Bearer realm="documents"',
      'Bearer error="invalid_token"',
    ],
    'api-explains-invalid-token': [
      async (world) => {
        const { token } = await world.jit()
        await world.advance('PT20M')
        return (await world.document('doc_9982', token)).body.error_description
      },
      'the access token is not valid',
      'the token has expired',
    ],
    'api-leaks-token': [
      async (world) => (await refused(world)).text.includes('no-token'),
      false,
      true,
    ],
    'api-ok-with-error': [
      async (world) => {
        const { status, body } = await challenged(world)
        return [status, body.error]
      },
      [403, 'insufficient_authorization_details'],
      [200, 'insufficient_authorization_details'],
    ],
    'api-html-error': [
      async (world) => (await refused(world)).text.startsWith('<!doctype html>'),
      false,
      true,
    ],
    'api-allows-storing-refusals': [
      async (world) => (await challenged(world)).headers['cache-control'],
      'no-store',
      undefined,
    ],
  }

  prove(
    [
      ...detailMisbehaviours,
      ...documentMisbehaviours,
      ...apiErrorMisbehaviours,
      ...apiTokenMisbehaviours,
    ],
    probes,
    tenant,
  )
})
