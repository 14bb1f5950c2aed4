import { z } from 'zod'
import {
  ApproverScript,
  Dialect,
  Duration,
  ForgeToken,
  MintUserToken,
  Policy,
  SwitchMisbehaviour,
} from '../../../server/wire/index.ts'
import { type Action, action, control, outcomeOf, Time } from '../action.ts'
import { failExpectation } from '../step-context.ts'

/** Actions of the control plane. */
export const worldActions = {
  advance: action({
    says: 'Advances the tenant’s clock by a duration, or to just after a time (`{ until: $over }`); against a real target, waits.',
    example: 'advance: PT5M',
    args: z.union([Time, z.strictObject({ until: z.string() })]),
    looks: 'nothing',
    run: async (time, { wait, now }) =>
      outcomeOf(
        await wait(typeof time === 'object' ? secondsTo(time.until, now()) : Duration.parse(time)),
      ),
  }),

  set_policy: action({
    says: 'Replaces the tenant’s policy.',
    example: 'set_policy: { rules: [{ name: all ask, risk: high, decision: ask }] }',
    args: Policy,
    looks: 'fields',
    needs: () => ['control'],
    run: (json, context) => control(context, 'PUT', '/policy', json),
  }),

  script_approver: action({
    says: 'Scripts the decisions of the approver from now on.',
    example: 'script_approver: { decision: approve, after_polls: 2 }',
    args: ApproverScript,
    looks: 'fields',
    needs: () => ['control'],
    run: (json, context) => control(context, 'PUT', '/approver', json),
  }),

  set_dialect: action({
    says: 'Sets dialect switches; the others return to their defaults.',
    example: 'set_dialect: { challenge: wg-00 }',
    args: Dialect,
    looks: 'fields',
    needs: () => ['control'],
    run: (json, context) => control(context, 'PUT', '/dialect', json),
  }),

  misbehave: action({
    says: 'Switches a misbehaviour on; `none` switches all off.',
    example: 'misbehave: { name: network-unavailable, times: 1 }',
    args: z.union([z.string().min(1), SwitchMisbehaviour]),
    looks: 'fields',
    needs: () => ['control'],
    run: (args, context) =>
      args === 'none'
        ? control(context, 'DELETE', '/misbehaviours')
        : control(
            context,
            'POST',
            '/misbehaviours',
            typeof args === 'string' ? { name: args } : args,
          ),
  }),

  mint_user_token: action({
    says: 'Issues an access token of a user without sign-in.',
    example: 'mint_user_token: { user: alice@example.com }',
    args: MintUserToken,
    looks: 'fields',
    needs: () => ['control'],
    run: (json, context) => control(context, 'POST', '/user-token', json),
  }),

  forge_token: action({
    says: 'Forges a token with the given claims, to test its verification; null removes a claim.',
    example: 'forge_token: { key: foreign, claims: { exp: null } }',
    args: ForgeToken,
    looks: 'fields',
    needs: () => ['control'],
    run: (json, context) => control(context, 'POST', '/forged-token', json),
  }),
} satisfies Record<string, Action>

/** Seconds until a moment has passed, with a margin for clock skew. */
const secondsTo = (moment: string, now: number): number => {
  const seconds = Date.parse(moment) / 1000 - now
  return Number.isNaN(seconds)
    ? failExpectation(`expected a date-time or epoch seconds, received ${moment}`)
    : Math.max(0, Math.ceil(seconds)) + 1
}
