import fc from 'fast-check'
import type { Facts } from '../../../server/issuer/policy/policy.ts'
import { factsOf } from '../../../server/issuer/policy/try-policy.ts'
import { type Condition, Policy, RequestFacts } from '../../../server/wire/index.ts'

type When = (typeof Condition)['_zod']['input']
type PolicyInput = (typeof Policy)['_zod']['input']
export type Request = (typeof RequestFacts)['_zod']['input']

const patterns = (...all: string[]) =>
  fc.uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 2 })

const windows = [
  { from: '08:00', to: '18:00' },
  { from: '18:00', to: '08:00' },
  { days: ['sat', 'sun'] },
  { days: ['mon'], from: '22:00', to: '06:30' },
  { from: '12:00', zone: 'America/New_York' },
  { to: '12:00', zone: 'Europe/Berlin' },
] as const

/** Each condition: the values a rule may have, and the values of requests. */
const conditions: Record<
  string,
  { when: fc.Arbitrary<When>; values: readonly Partial<Request>[] | readonly object[] }
> = {
  type: {
    when: patterns('a', 'b', 'a*', '*b', '*').map((type) => ({ type })),
    values: ['a', 'b', 'ab', 'zz', 'scope'].map((type) => ({ detail: { type } })),
  },
  actions: {
    when: fc.oneof(
      patterns('read', 'delete', 'zap', '*', 're*').map((actions) => ({ actions })),
      fc.boolean().map((it) => ({ undocumented_actions: it })),
    ),
    values: [
      undefined,
      [],
      ['read'],
      ['delete'],
      ['zap'],
      ['other'],
      ['rex'],
      ['read', 'delete'],
      ['read', 'zap'],
      ['zap', 'other'],
      ['read', 'delete', 'zap'],
    ].map((actions) => ({ detail: actions ? { actions } : {} })),
  },
  privileges: {
    when: patterns('p', 'q', '*').map((privileges) => ({ privileges })),
    values: [[], ['p'], ['q'], ['r'], ['p', 'q'], ['p', 'r']].map((privileges) => ({
      detail: { privileges },
    })),
  },
  identifier: {
    when: fc.oneof(
      patterns('i', 'i*', '*.pdf', '*').map((identifier) => ({ identifier })),
      fc.boolean().map((it) => ({ sensitive: it })),
    ),
    values: [
      {},
      ...['i', 'i.pdf', 'x.pdf', 'y', 'secret'].map((identifier) => ({ identifier })),
    ].map((detail) => ({ detail })),
  },
  agent: {
    when: patterns('bot', 'b*', '*').map((agent) => ({ agent })),
    values: [
      { agent: 'bot' },
      { agent: 'other' },
      { agent: 'bob', ancestors: ['bot'] },
      { agent: 'bot', ancestors: ['other'] },
      { agent: 'other', ancestors: ['bot', 'x'] },
    ],
  },
  task_type: {
    when: patterns('t', 't*', '*').map((task_type) => ({ task_type })),
    values: [{}, { task_type: 't' }, { task_type: 'tt' }, { task_type: 'u' }],
  },
  on_behalf_of: {
    when: fc.oneof(
      fc.boolean().map((it) => ({ on_behalf_of: it })),
      patterns('a@x.io', '*@x.io', '*').map((on_behalf_of) => ({ on_behalf_of })),
    ),
    values: [{}, ...['a@x.io', 'b@x.io', 'c@y.io'].map((on_behalf_of) => ({ on_behalf_of }))],
  },
  numbers: {
    when: fc.oneof(
      fc.constantFrom(0, 60, 90.5).map((ttl_over) => ({ ttl_over })),
      fc.constantFrom(-1, 0, 5, 9.5).map((score_from) => ({ score_from })),
      fc.constantFrom(1, 3).map((denials_from) => ({ denials_from })),
      fc.constantFrom(1, 3).map((agent_denials_from) => ({ agent_denials_from })),
      fc.constantFrom(1, 3).map((it) => ({ requests_last_minute_from: it })),
    ),
    values: [
      ...[undefined, 60, 61, 91].flatMap((requested_ttl) =>
        [0, 5, 10].map((score) => ({ ...(requested_ttl ? { requested_ttl } : {}), score })),
      ),
      ...[1, 2, 3].flatMap((denials) =>
        [0, 3].map((agent_denials) => ({ denials, agent_denials, requests_last_minute: denials })),
      ),
    ],
  },
  justification: {
    when: fc.oneof(
      fc.constantFrom(1, 5, 9).map((length) => ({ justification_lacks: { length } })),
      fc
        .constantFrom('T-\\d', '^x', 'end$')
        .map((pattern) => ({ justification_lacks: { pattern } })),
    ),
    values: [
      {},
      ...['', 'abc', 'T-1', 'T-1 abcdefgh', 'x T-1 end', 'x', 'the end', 'xxxxxxxxx'].map(
        (justification) => ({ justification }),
      ),
    ],
  },
  time: {
    when: fc
      .tuple(fc.constantFrom('time', 'outside'), fc.constantFrom(...windows))
      .map(([name, window]) => ({ [name]: window }) as When),
    values: Array.from({ length: 28 }, (_, at) => ({
      at: new Date(
        Date.UTC(2026, at % 2 ? 6 : 10, 23 + Math.floor(at / 4), (at % 4) * 6, 15),
      ).toISOString(),
    })),
  },
}

/** Policies whose rules use three conditions, and all requests that differ in these. */
export const smallUniverse = (least = 1) =>
  fc
    .uniqueArray(fc.constantFrom(...Object.keys(conditions)), { minLength: 2, maxLength: 3 })
    .chain((names) => {
      const chosen = names.map((name) => conditions[name] as (typeof conditions)[string])
      const when = fc
        .tuple(...chosen.map((it) => fc.option(it.when, { nil: {} })))
        .map((parts) => Object.assign({}, ...parts) as When)
      const rule = fc.record({
        when,
        risk: fc.constantFrom('low' as const, 'high' as const),
        decision: fc.constantFrom('approve' as const, 'ask' as const, 'deny' as const),
        approvers: fc.constantFrom(1, 2),
      })
      const policy = fc.array(rule, { minLength: least, maxLength: 5 }).map((rules) =>
        Policy.parse({
          sensitive: { identifiers: 'secret', types: 'b' },
          rules: rules.map((it, at) => ({ ...it, name: `rule ${at}` })),
        } satisfies PolicyInput),
      )
      return fc.record({
        policy,
        requests: fc.constant(requestsOf(chosen)),
        names: fc.constant(names),
      })
    })

/** The product of the values of some conditions. */
const requestsOf = (chosen: readonly (typeof conditions)[string][]): Facts[] =>
  chosen
    .reduce<Record<string, unknown>[]>(
      (all, { values }) =>
        all.flatMap((request) =>
          values.map((value) => {
            const { detail, ...more } = value as { detail?: object }
            return {
              ...request,
              ...more,
              authorization_details: { ...(request.authorization_details as object), ...detail },
            }
          }),
        ),
      [{ authorization_details: { type: 'zz' } }],
    )
    .map((request) => factsOf(RequestFacts.parse(request)))
