import { describe, expect, it } from 'vitest'
import type { Token } from '../../../../server/issuer/event.ts'
import { delegate, narrow } from '../../../../server/issuer/oauth/delegation.ts'
import { ada, alice, bot, refusalOf, start, stranger, world } from '../world.ts'

const [a, b, c] = ['https://a.test', 'https://b.test', 'https://c.test']
type Names = readonly string[]

const tokenOf = (kind: Token['kind'], more: Partial<Token>): Token => ({
  jti: `tok_${kind}`,
  kind,
  sub: alice.id,
  clientId: 'app',
  issuedAt: start,
  expiresAt: start + 3600,
  scope: 'read:documents',
  ...more,
})
const of = (audience: Names | undefined) => (audience === undefined ? {} : { audience })
const subjectWith = (audience?: Names) => tokenOf('user', { userId: alice.id, ...of(audience) })
const actorWith = (audience?: Names) =>
  tokenOf('agent', { sub: 'agent:report-bot', agentId: bot.id, ...of(audience) })
const asking = (...names: string[]) => ({ names, servers: [] })

const delegating = (
  subject: Token,
  actor: Token,
  more: Partial<Parameters<typeof delegate>[1]> = {},
  at = world(),
) => at.tenant.run(delegate, { subject, actor, ...more })[0].token

describe('the tokens of a delegation', () => {
  it.each<[string, Token, Token, string]>([
    [
      'a client’s token',
      tokenOf('client', {}),
      actorWith(),
      'subject_token: expected the token of a user',
    ],
    [
      'an agent’s token as the subject',
      tokenOf('agent', { agentId: bot.id, userId: alice.id }),
      actorWith(),
      'subject_token: expected the token of a user',
    ],
    [
      'a user’s token as the actor',
      subjectWith(),
      subjectWith(),
      "actor_token: expected an agent's own token",
    ],
  ])('are refused: %s', (_, subject, actor, reason) => {
    expect(refusalOf(() => delegating(subject, actor))).toMatchObject({
      error: 'bad_exchange_token',
      reason,
    })
  })

  it('are refused to an agent without delegation, and to one that may_act does not name', () => {
    const other = tokenOf('agent', { sub: 'agent:stranger', agentId: stranger.id })
    const named = { ...subjectWith(), mayAct: 'agent:stranger' }

    expect(refusalOf(() => delegating(subjectWith(), other))?.error).toBe('delegation_not_allowed')
    expect(refusalOf(() => delegating(named, actorWith()))).toMatchObject({
      error: 'delegation_not_allowed',
      reason: 'only agent:stranger may act for this user (may_act)',
    })
  })
})

describe('the audience of a delegated token', () => {
  it.each<[string, Names | undefined, Names | undefined, Names | undefined]>([
    ['neither token has one', undefined, undefined, undefined],
    ['only the subject has one', [a], undefined, [a]],
    ['only the actor has one', undefined, [b], [b]],
    ['both have some in common', [a, b], [b, c], [b]],
    ['the subject is for the agent’s id', [bot.id], [a], [a]],
    ['the subject is for the agent’s client id', [bot.clientId], [a], [a]],
    ['the subject is for both of them', [bot.id, bot.clientId], undefined, undefined],
  ])('is the agent, and reaches what both tokens reach: %s', (_, subject, actor, reach) => {
    const token = delegating(subjectWith(subject), actorWith(actor))

    expect(token.audience).toEqual([bot.id])
    expect(token.reach).toEqual(reach)
  })

  it.each([
    [[stranger.id]],
    [[stranger.clientId]],
    [[stranger.id, bot.id]],
    [[a, stranger.clientId]],
    [[a, bot.id]],
  ])('is refused where the subject is for %j', (names) => {
    expect(refusalOf(() => delegating(subjectWith(names), actorWith()))).toMatchObject({
      error: 'bad_exchange_token',
      reason: 'subject_token: expected the acting agent alone in aud, or no agent',
    })
  })

  it('is refused where the tokens have nothing in common', () => {
    expect(refusalOf(() => delegating(subjectWith([a]), actorWith([b, c])))).toEqual({
      error: 'invalid_target',
      reason: `expected a subset of ${b} ${c}`,
    })
  })

  it('is what was asked for, within what both tokens reach', () => {
    const [subject, actor] = [subjectWith([a, b]), actorWith([b, c])]

    expect(delegating(subject, actor, { audience: asking(b) })).toMatchObject({ audience: [b] })
    expect(refusalOf(() => delegating(subject, actor, { audience: asking(a) }))?.error).toBe(
      'invalid_target',
    )
  })

  it('is what both tokens reach, with the dialect issuer_and_api', () => {
    const at = world({ dialect: { delegated_audience: 'issuer_and_api' } })

    const token = delegating(subjectWith([a, b]), actorWith([b]), {}, at)

    expect(token).toMatchObject({ audience: [b] })
    expect(token.reach).toBeUndefined()
    expect(delegating(subjectWith(), actorWith(), {}, at).audience).toBeUndefined()
  })
})

describe('narrowing', () => {
  const narrowing = (subject: Token, audience?: ReturnType<typeof asking>) =>
    world().tenant.run(narrow, { subject, ...(audience && { audience }) })[0].token
  const own = delegating(subjectWith([a, b]), actorWith())

  it('is refused for a JIT token', () => {
    expect(refusalOf(() => narrowing(tokenOf('jit', {})))).toMatchObject({
      error: 'bad_exchange_token',
      reason: 'a JIT token is not exchangeable',
    })
  })

  it('of a delegated token addressed to its agent stays within what it reaches', () => {
    expect(narrowing(own)).toMatchObject({ audience: [bot.id], reach: [a, b] })
    expect(narrowing(own, asking(a))).toMatchObject({ audience: [a] })
    expect(narrowing(own, asking(a)).reach).toBeUndefined()
    expect(refusalOf(() => narrowing(own, asking(c)))?.error).toBe('invalid_target')
  })

  it('of a delegated token addressed to the client id of its agent stays within what it reaches', () => {
    const addressed = { ...own, audience: [bot.clientId] }

    expect(narrowing(addressed, asking(a))).toMatchObject({ audience: [a] })
    expect(refusalOf(() => narrowing(addressed, asking(c)))?.error).toBe('invalid_target')
  })

  it('of a delegated token without audience is as wide as asked for', () => {
    const { audience: _, reach: __, ...unbound } = own

    expect(narrowing(unbound, asking(c))).toMatchObject({ audience: [c] })
  })

  it('of a token addressed to its agent and to others stays within its audience', () => {
    const wider = { ...own, audience: [bot.id, a], reach: [a, b] }

    expect(refusalOf(() => narrowing(wider, asking(b)))?.error).toBe('invalid_target')
    expect(narrowing(wider, asking(a))).toMatchObject({ audience: [a] })
  })

  it('of a user’s token stays within its audience', () => {
    const login = tokenOf('user', { userId: ada.id, audience: [a] })

    expect(refusalOf(() => narrowing(login, asking(b)))?.error).toBe('invalid_target')
    expect(narrowing(login, asking(a))).toMatchObject({ audience: [a], sub: login.sub })
  })
})
