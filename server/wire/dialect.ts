import { z } from 'zod'
import { ChallengeFormat } from './challenge.ts'

/** One named choice where LumoAuth's sources disagree, or where a draft differs. */
type Switch = Readonly<{ schema: z.ZodType; says: string; imitates: string; row?: number }>

const choice = <const V extends readonly [string, ...string[]]>(values: V) =>
  z.enum(values).default(values[0])

/** The dialect switches of a tenant. Each default is the value most SDKs accept (contract §7). */
export const Dialect = z
  .strictObject({
    pending_status: choice(['201', '202']),
    pending_list: choice(['all', 'spec', 'sdk', 'array']),
    pending_for: choice(['approvers', 'agents_own']),
    complete_status: choice(['200', '204']),
    create_task_status: choice(['201', '200']),
    denial_text: choice(['agent_message', 'both', 'review_notes', 'deny_reason']),
    evaluate_closes: choice(['yes', 'no']),
    act_order: choice(['lumo', 'rfc8693']),
    exchange_client_auth: choice(['optional', 'required']),
    exchange_scope_status: choice(['400', '403']),
    exchange_bad_token: choice(['invalid_grant', 'invalid_request']),
    no_delegation: choice(['delegation_not_allowed', 'insufficient_scope']),
    delegated_audience: choice(['agent', 'issuer_and_api']),
    unknown_resource: choice(['accept', 'refuse']),
    mcp_audience: choice(['resource_uri', 'server_id']),
    subject_issuer: choice(['optional', 'required']),
    assertion_audience: choice(['any', 'issuer']),
    pkce: choice(['public', 'all']),
    registration: choice(['open', 'authenticated', 'closed']),
    unauthorized_client_status: choice(['401', '400']),
    authorization_servers: choice(['metadata', 'issuer']),
    userinfo_sub: choice(['agent:name', 'agent_name']),
    userinfo_claims: choice(['by_scope', 'all']),
    basic_encoding: choice(['form', 'either']),
    refresh_reuse: choice(['revoke', 'grace']),
    token_typ: choice(['at+jwt', 'JWT']),
    issuer: choice(['prefix', 'origin']),
    repeated_exchange: choice(['no', 'yes']),
    unknown_types: choice(['accept', 'refuse']),
    slow_down: choice(['off', 'on']),
    duplicate_requests: choice(['fold', 'separate']),
    agents_me: choice(['union', 'spec', 'docs']),
    ask_answer: choice(['union', 'action', 'question']),
    register_status: choice(['200', '201']),
    rate_limited: choice(['rate_limit_exceeded', 'too_many_requests']),
    callback_signature: choice(['both', 'x-lumo-signature', 'x-lumoauth-signature']),
    approved_by: choice(['number', 'both', 'user_id']),
    stream_list: choice(['streams', 'array']),
    push_device: choice(['yes', 'email', 'none']),
    unknown_addressee: choice(['email', 'not_found']),
    missing_right: choice(['forbidden', 'approval_forbidden']),
    challenge: ChallengeFormat.default('lumo'),
    revocation: choice(['introspection', 'signals', 'expiry']),
  })
  .meta({ id: 'Dialect' })
export type Dialect = z.infer<typeof Dialect>

/** The meaning of each switch; `lumoauth-harness dialects` prints it. */
export const dialects: Readonly<Record<keyof Dialect, Omit<Switch, 'schema'>>> = {
  pending_status: {
    row: 4,
    says: 'HTTP status of a pending request',
    imitates: '201: spec; 202: the docs’ diagram',
  },
  pending_list: {
    row: 6,
    says: 'which keys hold the pending list',
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
    says: 'which texts of a decision the agent receives',
    imitates:
      'agent_message: newest spec, where notes are not shown to the agent; both, review_notes (older spec), deny_reason (docs): the notes',
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
    says: 'HTTP status of an exchange for a scope wider than the subject token’s',
    imitates: '400: delegation example; 403: docs/errors.md',
  },
  exchange_bad_token: {
    says: 'the error when the subject token of an exchange is expired or revoked',
    imitates: 'invalid_grant: delegation page; invalid_request: RFC 8693 §2.2.2',
  },
  no_delegation: {
    row: 19,
    says: 'the error when the agent may not act for users',
    imitates: 'delegation_not_allowed: docs/errors.md; insufficient_scope: Go’s tests',
  },
  delegated_audience: {
    says: 'the aud of a delegated token that was exchanged without resource',
    imitates:
      'agent: README of lumoauth 1.1.0, the acting agent itself; issuer_and_api: older docs',
  },
  unknown_resource: {
    says: 'whether an agent that acts for a user may name any https resource',
    imitates: 'accept: README of lumoauth 1.1.0; refuse: invalid_target (RFC 8707 §2)',
  },
  mcp_audience: {
    says: 'the aud of a token for an MCP server',
    imitates: 'both are documented (docs/mcp/registration.md)',
  },
  subject_issuer: {
    row: 39,
    says: 'whether a workload exchange must have subject_issuer',
    imitates: 'optional: the Python example; required: the table beside it',
  },
  assertion_audience: {
    says: 'the allowed aud of a client assertion',
    imitates:
      'any: the issuer, the token endpoint or the PAR endpoint (RFC 7523 §3, RFC 9126 §2); issuer: draft-ietf-oauth-rfc7523bis §4',
  },
  pkce: {
    says: 'which clients must use PKCE',
    imitates: 'public: token page; all: OAuth 2.1, and one page of the docs',
  },
  registration: {
    says: 'who may register a client',
    imitates: 'open: docs; authenticated: spec; closed: 403 registration_not_allowed',
  },
  unauthorized_client_status: {
    says: 'HTTP status when the client may not use the grant',
    imitates: '401: docs/errors.md; 400: RFC 6749 §5.2',
  },
  authorization_servers: {
    says: 'the values of authorization_servers',
    imitates: 'metadata: the URL of its document, as in docs; issuer: RFC 9728 §2',
  },
  userinfo_sub: {
    row: 23,
    says: 'the sub of an agent or a client at userinfo and introspection',
    imitates: 'agent:name: as in JIT tokens; agent_name: lumoauth-api-client 1.1.0, also client_ID',
  },
  userinfo_claims: {
    says: 'which claims of a user userinfo has, for a token with the scope openid',
    imitates: 'by_scope: OpenID Connect Core §5.4, profile and email on request; all: older mocks',
  },
  basic_encoding: {
    says: 'how the client encodes its id and secret in HTTP Basic',
    imitates: 'form: RFC 6749 §2.3.1; either: also as they are, like curl -u and Authlib',
  },
  refresh_reuse: {
    says: 'what the reuse of a refresh token does',
    imitates:
      'revoke: RFC 9700 §4.14.2, the whole grant; grace: within 30 s it gets tokens once more, for retries',
  },
  token_typ: {
    row: 14,
    says: 'typ header of access tokens',
    imitates: 'at+jwt: tokens page (RFC 9068); JWT: examples',
  },
  issuer: {
    row: 15,
    says: 'the iss of tokens and metadata',
    imitates: 'prefix: origin and base path; origin: the bare host',
  },
  repeated_exchange: {
    says: 'whether an approved request may be exchanged again for its remaining time',
    imitates: 'not stated (contract §9.4)',
  },
  unknown_types: {
    says: 'whether authorization_details of undocumented types are accepted',
    imitates: 'accept: examples use their own types; refuse: RFC 9396 §5',
  },
  slow_down: {
    says: 'whether polling faster than interval is refused with 429',
    imitates: 'off: LumoAuth; on: RFC 8628 §3.5',
  },
  duplicate_requests: {
    says: 'whether one decision applies to all pending requests of the same detail in a task',
    imitates: 'not stated; fold: one decision for all, separate: one for each',
  },
  agents_me: {
    row: 20,
    says: 'the shape of agents/me',
    imitates: 'spec: identity, capabilities, workspace; docs: agent_id, name, scopes',
  },
  ask_answer: {
    row: 21,
    says: 'the shape of the agents/ask answer',
    imitates: 'action: allowed, action, reason; question: allowed, explanation, confidence',
  },
  register_status: {
    says: 'HTTP status of a registered agent',
    imitates: '200: newest spec and Go’s test; 201: Python’s test',
  },
  rate_limited: {
    row: 31,
    says: 'the error of a 429',
    imitates: 'rate_limit_exceeded: rate-limiting page; too_many_requests: security page',
  },
  callback_signature: {
    row: 38,
    says: 'which headers sign a callback',
    imitates: 'x-lumo-signature: hex, one page; x-lumoauth-signature: sha256=, another',
  },
  approved_by: {
    row: 35,
    says: 'the members of approved_by in a push approval',
    imitates:
      'number: newest spec, an integer user_id alone; user_id: older spec, a string; both: SDKs also read email',
  },
  stream_list: {
    says: 'the shape of the list of streams',
    imitates: 'streams: newest spec, {"streams": []}; array: SSF 1.0 §8.1.1.2',
  },
  push_device: {
    row: 36,
    says: 'whether users have a push device',
    imitates:
      'yes: SDKs expect approval_token; email: spec’s 202; none: 428, the mail could not be sent either',
  },
  unknown_addressee: {
    says: 'the answer to a push approval for an unknown user',
    imitates:
      'email: README of lumoauth 1.1.0, 202 as for a user without a device; not_found: older spec',
  },
  missing_right: {
    says: 'the error when the caller may not list or decide requests',
    imitates:
      'forbidden: README of lumoauth 1.1.0, with details.required_scopes; approval_forbidden: older spec',
  },
  challenge: {
    says: 'how the API names the missing authorization detail',
    imitates: 'lumo: docs; rar-04 and wg-00: the IETF drafts',
  },
  revocation: {
    says: 'how the API detects revoked tokens',
    imitates: 'introspection: at each call; signals: SSF; expiry: only at exp',
  },
}
