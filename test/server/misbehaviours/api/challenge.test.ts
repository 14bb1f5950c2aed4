import { afterAll, describe, expect, it } from 'vitest'
import { challengeMisbehaviours } from '../../../../server/misbehaviours/api/challenge.ts'
import { challengeHeader, encodeChallenge, readChallenge } from '../../../../server/wire/index.ts'
import { misbehavingHarness, type Probe, prove, read, type World } from '../world.ts'

const { harness, tenant } = await misbehavingHarness()
afterAll(() => harness.close())

const challenged = async (world: World) => world.document('doc_9982', await world.login())
const header = async (world: World) => (await challenged(world)).headers[challengeHeader]

/** What our own reader returns for the challenge: the detail to request, or the error. */
const understood = async (world: World) => {
  const { status, headers } = await challenged(world)
  try {
    return readChallenge(status, new Headers(headers))?.[0]
  } catch (malformed) {
    return (malformed as Error).message
  }
}

const honest = read()
const written = encodeChallenge(honest)

describe('a resource server with misbehaving challenges', () => {
  const probes: Readonly<Record<string, Probe>> = {
    'api-challenge-missing': [header, written, undefined],
    'api-challenge-401': [
      async (world) => [(await challenged(world)).status, await header(world)],
      [403, written],
      [401, written],
    ],
    'api-challenge-without-authenticate': [
      async (world) => (await challenged(world)).headers['www-authenticate'],
      'Bearer error="insufficient_authorization_details"',
      undefined,
    ],
    'api-hides-resource-metadata': [
      async (world) =>
        (await world.document('doc_open')).headers['www-authenticate']?.includes(
          'resource_metadata',
        ),
      true,
      false,
    ],
    'api-challenge-malformed': [
      understood,
      honest,
      'the challenge is not base64 (one value, one alphabet)',
    ],
    'api-challenge-not-json': [understood, honest, 'the challenge does not decode to JSON'],
    'api-challenge-base64url': [
      async (world) => /^[\w-]+$/.test((await header(world)) ?? '') && (await understood(world)),
      false,
      { ...honest, note: '~~~???' },
    ],
    'api-challenge-unpadded': [
      async (world) => [(await header(world))?.endsWith('='), await understood(world)],
      [true, honest],
      [false, honest],
    ],
    'api-challenge-array': [
      async (world) => JSON.parse(Buffer.from((await header(world)) ?? '', 'base64').toString()),
      honest,
      [honest],
    ],
    'api-challenge-twice': [async (world) => (await header(world))?.split(', ').length, 1, 2],
    'api-challenge-oversized': [understood, honest, 'the challenge is longer than 4096 characters'],
    'api-challenge-not-utf8': [understood, honest, 'the challenge does not decode to JSON'],
    'api-challenge-deep': [understood, honest, 'the challenge is nested deeper than 64 levels'],
    'api-challenge-quoted': [
      async (world) => [
        await understood(world),
        (await challenged(world)).headers['www-authenticate']?.includes(
          'authorization_remediation',
        ),
      ],
      [honest, false],
      [undefined, true],
    ],
    'api-challenge-polluting': [understood, honest, 'the challenge does not decode to JSON'],

    'api-challenge-wider': [
      understood,
      honest,
      { ...honest, actions: ['read', 'write', 'delete'] },
    ],
    'api-challenge-other-document': [
      understood,
      honest,
      { ...honest, identifier: 'doc_of_another_agent' },
    ],
    'api-challenge-without-identifier': [
      understood,
      honest,
      { type: 'file_access', actions: ['read'] },
    ],
    'api-challenge-other-type': [
      understood,
      honest,
      { type: 'payment', actions: ['initiate'], identifier: 'doc_9982' },
    ],
    'api-challenge-other-action': [understood, honest, { ...honest, actions: ['list'] }],
    'api-challenge-disagrees': [
      async (world) => [
        await understood(world),
        (await challenged(world)).body.authorization_details_hint,
      ],
      [honest, honest],
      [honest, { type: 'file_access', actions: ['delete'], identifier: '*' }],
    ],
    'api-challenge-leaks-body': [
      async (world) => (await challenged(world)).text.includes('Revenue rose'),
      false,
      true,
    ],
    'api-challenge-on-success': [
      async (world) => {
        const { status, headers } = await world.document('doc_open', await world.login())
        return [status, challengeHeader in headers]
      },
      [200, false],
      [200, true],
    ],
    'api-challenge-on-404': [
      async (world) => {
        const token = await world.holding(read('doc_nowhere'))
        const { status, headers } = await world.document('doc_nowhere', token)
        return [status, challengeHeader in headers]
      },
      [404, false],
      [404, true],
    ],
  }

  prove(challengeMisbehaviours, probes, tenant)

  it.each(challengeMisbehaviours.map(({ name }) => [name]))(
    'leaves a challenge alone that another misbehaviour made unreadable: %s',
    async (name) => {
      const world = tenant()
      await world.on('api-html-error')
      await world.on(name)

      const { status } = await challenged(world)

      expect([401, 403]).toContain(status)
    },
  )
})
