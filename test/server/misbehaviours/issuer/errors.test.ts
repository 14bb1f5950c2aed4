import { afterAll, describe } from 'vitest'
import { errorMisbehaviours } from '../../../../server/misbehaviours/issuer/errors.ts'
import { misbehavingHarness, type Probe, prove, type World } from '../world.ts'

const { harness, tenant } = await misbehavingHarness()
afterAll(() => harness.close())

const refused = (world: World) => world.userinfo('no-token')

describe('an issuer with malformed responses', () => {
  const probes: Readonly<Record<string, Probe>> = {
    'issuer-wrong-content-type': [
      async (world) =>
        (await world.userinfo(await world.forge({}))).headers['content-type']?.split(';')[0],
      'application/json',
      'text/html',
    ],
    'issuer-ok-with-error': [
      async (world) => {
        const { status, body } = await refused(world)
        return [status, body.error]
      },
      [401, 'invalid_token'],
      [200, 'invalid_token'],
    ],
    'issuer-misstates-status': [async (world) => (await refused(world)).body.status, 401, 418],
    'issuer-crashes-on-bad-input': [
      async (world) => (await world.ask(await world.login(), '')).status,
      400,
      500,
    ],
    'issuer-crashes-on-deep-json': [
      async (world) => {
        const deep = `{"task_id":"t","authorization_details":${'['.repeat(65)}${']'.repeat(65)}}`
        const agent = world.as(await world.login())
        return (await agent.post('/jit/request').type('json').send(deep)).status
      },
      400,
      500,
    ],
    'issuer-omits-description': [
      async (world) => 'error_description' in (await refused(world)).body,
      true,
      false,
    ],
    'issuer-error-is-true': [
      async (world) => (await refused(world)).body.error,
      'invalid_token',
      true,
    ],
    'issuer-html-error': [
      async (world) => (await refused(world)).text.startsWith('<!doctype html>'),
      false,
      true,
    ],
    'issuer-stack-trace': [async (world) => 'stack' in (await refused(world)).body, false, true],
    'issuer-leaks-secrets': [
      async (world) => (await refused(world)).text.includes('no-token'),
      false,
      true,
    ],
    'issuer-allows-storing-errors': [
      async (world) => (await refused(world)).headers['cache-control'],
      'no-store',
      undefined,
    ],
  }

  prove(errorMisbehaviours, probes, tenant)
})
