import { z } from 'zod'
import { ChallengeFormat } from './challenge.ts'

/** One named choice where LumoAuth's sources disagree or a draft differs. */
type Switch = Readonly<{ schema: z.ZodType; says: string; imitates: string; row?: number }>

const choice = <const V extends readonly [string, ...string[]]>(values: V) =>
  z.enum(values).default(values[0])

/** The dialect switches of a tenant. The default is what the most SDKs accept (contract §7). */
export const Dialect = z
  .strictObject({
    pending_status: choice(['201', '202']),
    pending_list: choice(['all', 'spec', 'sdk', 'array']),
    pending_for: choice(['approvers', 'agents_own']),
    complete_status: choice(['200', '204']),
    create_task_status: choice(['201', '200']),
    denial_text: choice(['both', 'review_notes', 'deny_reason']),
    evaluate_closes: choice(['yes', 'no']),
    act_order: choice(['lumo', 'rfc8693']),
    exchange_client_auth: choice(['optional', 'required']),
    exchange_scope_status: choice(['400', '403']),
    token_typ: choice(['at+jwt', 'JWT']),
    issuer: choice(['prefix', 'origin']),
    repeated_exchange: choice(['no', 'yes']),
    unknown_types: choice(['accept', 'refuse']),
    slow_down: choice(['off', 'on']),
    push_device: choice(['yes', 'email']),
    challenge: ChallengeFormat.default('lumo'),
    revocation: choice(['introspection', 'signals', 'expiry']),
  })
  .meta({ id: 'Dialect' })
export type Dialect = z.infer<typeof Dialect>

/** What each switch means; `lumoauth-harness dialects` prints this. */
export const dialects: Readonly<Record<keyof Dialect, Omit<Switch, 'schema'>>> = {
  pending_status: {
    row: 4,
    says: 'HTTP status of a request that waits for a human',
    imitates: '201: spec; 202: the docs’ diagram',
  },
  pending_list: {
    row: 6,
    says: 'under which keys the pending list stands',
    imitates: 'spec: pending_requests and data; sdk: requests; array: what Go and JS also read',
  },
  pending_for: {
    row: 7,
    says: 'who may list pending requests',
    imitates:
      'approvers: spec; agents_own: SDK helpers, which list their own with the agent’s token',
  },
  complete_status: {
    row: 5,
    says: 'HTTP status of a completed task',
    imitates: '200: spec; 204: Go’s tests',
  },
  create_task_status: {
    row: 3,
    says: 'HTTP status of a created task',
    imitates: '201: spec; 200: tests of Go and Python',
  },
  denial_text: {
    row: 9,
    says: 'where the reason of a denial stands',
    imitates: 'review_notes: spec; deny_reason: docs',
  },
  evaluate_closes: {
    row: 8,
    says: 'whether evaluate with a result also ends the task',
    imitates: 'yes: SDKs; no: spec',
  },
  act_order: {
    row: 16,
    says: 'where a new actor enters the act chain',
    imitates: 'lumo: innermost; rfc8693: outermost',
  },
  exchange_client_auth: {
    row: 17,
    says: 'whether token exchange needs client authentication',
    imitates: 'optional: all SDKs; required: docs/oauth/token.md',
  },
  exchange_scope_status: {
    row: 18,
    says: 'HTTP status of too wide a scope on exchange',
    imitates: '400: delegation example; 403: docs/errors.md',
  },
  token_typ: {
    row: 14,
    says: 'the typ header of access tokens',
    imitates: 'at+jwt: tokens page (RFC 9068); JWT: examples',
  },
  issuer: {
    row: 15,
    says: 'the iss of tokens and metadata',
    imitates: 'prefix: origin and base path; origin: the bare host',
  },
  repeated_exchange: {
    says: 'whether an approval may be exchanged again for its remaining time',
    imitates: 'not stated (contract §9.4)',
  },
  unknown_types: {
    says: 'whether details of undocumented types are accepted',
    imitates: 'accept: examples use their own types; refuse: RFC 9396 §5',
  },
  slow_down: {
    says: 'whether polling faster than interval is refused with 429',
    imitates: 'off: LumoAuth; on: RFC 8628 §3.5',
  },
  push_device: {
    row: 36,
    says: 'whether users have a push device',
    imitates: 'yes: SDKs expect approval_token; email: spec’s 202',
  },
  challenge: {
    says: 'how the API names what is missing',
    imitates: 'lumo: docs; rar-04 and wg-00: the IETF drafts',
  },
  revocation: {
    says: 'how the API learns of revoked tokens',
    imitates: 'introspection: at once; signals: SSF; expiry: never before exp',
  },
}
