import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Agent, Token } from '../../../../server/issuer/event.ts'
import { delegate, maxActors, narrow } from '../../../../server/issuer/oauth/delegation.ts'
import { issueClientToken, issueUserToken } from '../../../../server/issuer/oauth/tokens.ts'
import { Refused } from '../../../../server/issuer/refusal.ts'
import { type Actor, type AuthorizationDetail, covers } from '../../../../server/wire/index.ts'
import { alice, bot, world } from '../world.ts'

const scopes = ['read', 'write', 'delete']
const places = ['https://a.test', 'https://b.test']
const agents: Agent[] = ['one', 'two', 'three', 'four'].map((name) => ({
  ...bot,
  id: `agt_${name}`,
  name,
  clientId: name,
  capabilities: scopes,
}))

const scope = fc.subarray(scopes).map((it) => it.join(' '))
const some = <T>(it: fc.Arbitrary<T>) => fc.option(it, { nil: undefined })
const detail: fc.Arbitrary<AuthorizationDetail> = fc.record({
  type: fc.constant('file_access'),
  actions: fc.subarray(scopes),
})
const audience = fc.subarray(places, { minLength: 1 }).map((names) => ({ names, servers: [] }))
const narrowing = fc.record({
  scope: some(scope),
  audience: some(audience),
  details: some(fc.array(detail, { maxLength: 2 })),
})
const step = fc.record({
  narrowing,
  /** Absent: the holder narrows its own token. */
  actor: some(fc.record({ agent: fc.constantFrom(...agents), scope })),
  wait: fc.integer({ min: 0, max: 1200 }),
})

const listed = (it: string | undefined) => (it ?? '').split(' ').filter((word) => word !== '')
const actorsIn = (act: Actor | undefined): string[] =>
  act === undefined ? [] : [act.sub, ...actorsIn(act.act)]

/** Whether one token grants no more than the other. */
const within = (narrower: Token, wider: Token) =>
  narrower.expiresAt <= wider.expiresAt &&
  listed(narrower.scope).every((it) => listed(wider.scope).includes(it)) &&
  (narrower.details ?? []).every((it) => (wider.details ?? []).some((held) => covers(held, it))) &&
  (placesOf(wider) === undefined ||
    (placesOf(narrower) ?? ['anywhere']).every((it) => placesOf(wider)?.includes(it)))

/** Where a token may be used, or exchanged for: one for its own agent says so apart. */
const placesOf = ({ audience, reach, agentId }: Token) =>
  agentId !== undefined && audience?.length === 1 && audience[0] === agentId ? reach : audience

describe('a chain of token exchanges with any parameters', () => {
  it('never widens scope or details, never outlives the subject token, and keeps its sub', () => {
    fc.assert(
      fc.property(
        scope,
        some(fc.array(detail, { minLength: 1, maxLength: 2 })),
        some(audience),
        fc.array(step, { maxLength: 8 }),
        (first, details, where, steps) => {
          const { tenant, clock } = world()
          tenant.happen([{ type: 'tenant.seeded', agents, users: [alice] }])
          const [{ token: login }] = tenant.run(issueUserToken, {
            userId: alice.id,
            clientId: 'app',
            scope: first,
            lifetime: 3600,
            details,
            audience: where,
          })

          let subject = login
          for (const { narrowing: asked, actor, wait } of steps) {
            clock.advance(wait)
            if (clock.now() >= subject.expiresAt) return
            try {
              if (actor === undefined) {
                const [{ token }] = tenant.run(narrow, { subject, ...asked })
                expect(within(token, subject)).toBe(true)
                expect(token.act).toEqual(subject.act)
                subject = token
              } else {
                const [own] = tenant.run(issueClientToken, {
                  client: actor.agent,
                  scope: actor.scope,
                })
                const order = { subject, actor: own.token, ...asked }
                const [{ token }] = tenant.run(delegate, order)
                expect(within(token, subject)).toBe(true)
                expect(token.expiresAt).toBeLessThanOrEqual(own.token.expiresAt)
                expect(actorsIn(token.act)).toEqual([...actorsIn(subject.act), own.token.sub])
                subject = token
              }
            } catch (thrown) {
              if (!(thrown instanceof Refused)) throw thrown
            }
            expect(subject.sub).toBe(alice.id)
            expect(actorsIn(subject.act).length).toBeLessThanOrEqual(maxActors)
          }
        },
      ),
    )
  })
})
