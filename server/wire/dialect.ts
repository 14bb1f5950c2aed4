import { z } from 'zod'
import { ChallengeFormat } from './challenge.ts'

/** One named choice where LumoAuth's sources disagree, or where a draft differs. */
type Switch = Readonly<{ says: string; imitates: string; source: string }>

/** The meaning of each switch; `lumoauth-harness dialects` prints it. */
export const dialects = {
  pending_status: {
    says: 'HTTP status of a pending request',
    imitates: '201: spec; 202: the docs’ diagram',
    source: 'CONTRACT.md#permission-requests',
  },
  pending_list: {
    says: 'which keys hold the pending list',
    imitates: 'spec: pending_requests and data; sdk: requests; array: what Go and JS also read',
    source: 'CONTRACT.md#pending-requests',
  },
  pending_for: {
    says: 'who may list pending requests',
    imitates:
      'approvers: spec; agents_own: SDK helpers, which list their own with the agent’s token',
    source: 'CONTRACT.md#approvers',
  },
  complete_status: {
    says: 'HTTP status of a completed task',
    imitates: '200: spec; 204: Go’s tests',
    source: 'CONTRACT.md#completing-a-task',
  },
  create_task_status: {
    says: 'HTTP status of a created task',
    imitates: '201: spec; 200: tests of Go and Python',
    source: 'CONTRACT.md#tasks',
  },
  denial_text: {
    says: 'which texts of a decision the agent receives',
    imitates:
      'agent_message: newest spec, where notes are not shown to the agent; both, review_notes (older spec), deny_reason (docs): the notes',
    source: 'CONTRACT.md#texts-of-a-decision',
  },
  evaluate_closes: {
    says: 'whether evaluate with a result also ends the task',
    imitates: 'yes: SDKs; no: spec',
    source: 'CONTRACT.md#evaluation',
  },
  act_order: {
    says: 'where a new actor enters the act chain',
    imitates: 'lumo: innermost; rfc8693: outermost',
    source: 'CONTRACT.md#chains-of-actors',
  },
  exchange_client_auth: {
    says: 'whether token exchange needs client authentication',
    imitates: 'optional: all SDKs; required: docs/oauth/token.md',
    source: 'CONTRACT.md#token-exchange',
  },
  exchange_scope_status: {
    says: 'HTTP status of an exchange for a scope wider than the subject token’s',
    imitates: '400: delegation example; 403: docs/errors.md',
    source: 'CONTRACT.md#token-exchange',
  },
  exchange_bad_token: {
    says: 'the error when the subject token of an exchange is expired or revoked',
    imitates: 'invalid_grant: delegation page; invalid_request: RFC 8693 §2.2.2',
    source: 'CONTRACT.md#error-codes',
  },
  no_delegation: {
    says: 'the error when the agent may not act for users',
    imitates: 'delegation_not_allowed: docs/errors.md; insufficient_scope: Go’s tests',
    source: 'CONTRACT.md#delegation',
  },
  delegated_audience: {
    says: 'the aud of a delegated token that was exchanged without resource',
    imitates:
      'agent: README of lumoauth 1.1.0, the acting agent itself; issuer_and_api: older docs',
    source: 'CONTRACT.md#audience-of-a-delegated-token',
  },
  unknown_resource: {
    says: 'whether an agent that acts for a user may name any https resource',
    imitates: 'accept: README of lumoauth 1.1.0; refuse: invalid_target (RFC 8707 §2)',
    source: 'CONTRACT.md#audience-of-a-delegated-token',
  },
  mcp_audience: {
    says: 'the aud of a token for an MCP server',
    imitates: 'both are documented (docs/mcp/registration.md)',
    source: 'CONTRACT.md#mcp-tokens',
  },
  subject_issuer: {
    says: 'whether a workload exchange must have subject_issuer',
    imitates: 'optional: the Python example; required: the table beside it',
    source: 'CONTRACT.md#workload-tokens',
  },
  assertion_audience: {
    says: 'the allowed aud of a client assertion',
    imitates:
      'any: the issuer, the token endpoint or the PAR endpoint (RFC 7523 §3, RFC 9126 §2); issuer: draft-ietf-oauth-rfc7523bis §4',
    source: 'CONTRACT.md#client-assertions',
  },
  pkce: {
    says: 'which clients must use PKCE',
    imitates: 'public: token page; all: OAuth 2.1, and one page of the docs',
    source: 'CONTRACT.md#pkce',
  },
  registration: {
    says: 'who may register a client',
    imitates: 'open: docs; authenticated: spec; closed: 403 registration_not_allowed',
    source: 'CONTRACT.md#client-registration',
  },
  unauthorized_client_status: {
    says: 'HTTP status when the client may not use the grant',
    imitates: '401: docs/errors.md; 400: RFC 6749 §5.2',
    source: 'CONTRACT.md#error-codes',
  },
  authorization_servers: {
    says: 'the values of authorization_servers',
    imitates: 'metadata: the URL of its document, as in docs; issuer: RFC 9728 §2',
    source: 'CONTRACT.md#protected-resource-metadata',
  },
  userinfo_sub: {
    says: 'the sub of an agent or a client at userinfo and introspection',
    imitates: 'agent:name: as in JIT tokens; agent_name: lumoauth-api-client 1.1.0, also client_ID',
    source: 'CONTRACT.md#userinfo',
  },
  userinfo_claims: {
    says: 'which claims of a user userinfo has, for a token with the scope openid',
    imitates: 'by_scope: profile and email on request; all: older mocks',
    source: 'CONTRACT.md#userinfo',
  },
  basic_encoding: {
    says: 'how the client encodes its id and secret in HTTP Basic',
    imitates: 'form: the standard; either: also as they are, like curl -u and Authlib',
    source: 'RFC 6749 §2.3.1',
  },
  refresh_reuse: {
    says: 'what the reuse of a refresh token does',
    imitates: 'revoke: the whole grant; grace: within 30 s it gets tokens once more, for retries',
    source: 'RFC 9700 §4.14.2',
  },
  token_typ: {
    says: 'typ header of access tokens',
    imitates: 'at+jwt: tokens page (RFC 9068); JWT: examples',
    source: 'CONTRACT.md#token-header',
  },
  issuer: {
    says: 'the iss of tokens and metadata',
    imitates: 'prefix: origin and base path; origin: the bare host',
    source: 'CONTRACT.md#issuer-identifier',
  },
  repeated_exchange: {
    says: 'whether an approved request may be exchanged again for its remaining time',
    imitates: 'not stated',
    source: 'CONTRACT.md#exchange-for-a-jit-token',
  },
  unknown_types: {
    says: 'whether authorization_details of undocumented types are accepted',
    imitates: 'accept: examples use their own types; refuse: RFC 9396 §5',
    source: 'CONTRACT.md#permission-requests',
  },
  slow_down: {
    says: 'whether polling faster than interval is refused with 429',
    imitates: 'off: LumoAuth; on: RFC 8628 §3.5',
    source: 'CONTRACT.md#status-of-a-request',
  },
  duplicate_requests: {
    says: 'whether one decision applies to all pending requests of the same detail in a task',
    imitates: 'not stated; fold: one decision for all, separate: one for each',
    source: 'CONTRACT.md#duplicates-and-overlaps',
  },
  agents_me: {
    says: 'the shape of agents/me',
    imitates: 'spec: identity, capabilities, workspace; docs: agent_id, name, scopes',
    source: 'CONTRACT.md#agent-identity',
  },
  ask_answer: {
    says: 'the shape of the agents/ask answer',
    imitates: 'action: allowed, action, reason; question: allowed, explanation, confidence',
    source: 'CONTRACT.md#ask',
  },
  register_status: {
    says: 'HTTP status of a registered agent',
    imitates: '200: newest spec and Go’s test; 201: Python’s test',
    source: 'CONTRACT.md#agent-registration',
  },
  rate_limited: {
    says: 'the error of a 429',
    imitates: 'rate_limit_exceeded: rate-limiting page; too_many_requests: security page',
    source: 'CONTRACT.md#rate-limits',
  },
  callback_signature: {
    says: 'which headers sign a callback',
    imitates: 'x-lumo-signature: hex, one page; x-lumoauth-signature: sha256=, another',
    source: 'CONTRACT.md#callbacks',
  },
  approved_by: {
    says: 'the members of approved_by in a push approval',
    imitates:
      'number: newest spec, an integer user_id alone; user_id: older spec, a string; both: SDKs also read email',
    source: 'CONTRACT.md#approver-of-a-push-approval',
  },
  stream_list: {
    says: 'the shape of the list of streams',
    imitates: 'streams: newest spec, {"streams": []}; array: SSF 1.0 §8.1.1.2',
    source: 'CONTRACT.md#signal-streams',
  },
  push_device: {
    says: 'whether users have a push device',
    imitates:
      'yes: SDKs expect approval_token; email: spec’s 202; none: 428, the mail could not be sent either',
    source: 'CONTRACT.md#push-approvals-without-a-device',
  },
  unknown_addressee: {
    says: 'the answer to a push approval for an unknown user',
    imitates:
      'email: README of lumoauth 1.1.0, 202 as for a user without a device; not_found: older spec',
    source: 'CONTRACT.md#push-approvals-without-a-device',
  },
  missing_right: {
    says: 'the error when the caller may not list or decide requests',
    imitates:
      'forbidden: README of lumoauth 1.1.0, with details.required_scopes; approval_forbidden: older spec',
    source: 'CONTRACT.md#missing-rights',
  },
  challenge: {
    says: 'how the API names the missing authorization detail',
    imitates: 'lumo: docs; rar-04 and wg-00: the IETF drafts',
    source: 'CONTRACT.md#challenge',
  },
  revocation: {
    says: 'how the API detects revoked tokens',
    imitates: 'introspection: at each call; signals: SSF; expiry: only at exp',
    source: 'CONTRACT.md#how-the-api-learns-of-revocation',
  },
} as const satisfies Readonly<Record<string, Switch>>

const describe = (name: keyof typeof dialects) => {
  const { says, imitates } = dialects[name]
  return `${says[0]?.toUpperCase()}${says.slice(1)}. ${imitates}.`
}

const choice = <const V extends readonly [string, ...string[]]>(
  name: keyof typeof dialects,
  values: V,
) => z.enum(values).default(values[0]).describe(describe(name))

/** The dialect switches of a tenant. Each default is the value most SDKs accept . */
export const Dialect = z
  .strictObject({
    pending_status: choice('pending_status', ['201', '202']),
    pending_list: choice('pending_list', ['all', 'spec', 'sdk', 'array']),
    pending_for: choice('pending_for', ['approvers', 'agents_own']),
    complete_status: choice('complete_status', ['200', '204']),
    create_task_status: choice('create_task_status', ['201', '200']),
    denial_text: choice('denial_text', ['agent_message', 'both', 'review_notes', 'deny_reason']),
    evaluate_closes: choice('evaluate_closes', ['yes', 'no']),
    act_order: choice('act_order', ['lumo', 'rfc8693']),
    exchange_client_auth: choice('exchange_client_auth', ['optional', 'required']),
    exchange_scope_status: choice('exchange_scope_status', ['400', '403']),
    exchange_bad_token: choice('exchange_bad_token', ['invalid_grant', 'invalid_request']),
    no_delegation: choice('no_delegation', ['delegation_not_allowed', 'insufficient_scope']),
    delegated_audience: choice('delegated_audience', ['agent', 'issuer_and_api']),
    unknown_resource: choice('unknown_resource', ['accept', 'refuse']),
    mcp_audience: choice('mcp_audience', ['resource_uri', 'server_id']),
    subject_issuer: choice('subject_issuer', ['optional', 'required']),
    assertion_audience: choice('assertion_audience', ['any', 'issuer']),
    pkce: choice('pkce', ['public', 'all']),
    registration: choice('registration', ['open', 'authenticated', 'closed']),
    unauthorized_client_status: choice('unauthorized_client_status', ['401', '400']),
    authorization_servers: choice('authorization_servers', ['metadata', 'issuer']),
    userinfo_sub: choice('userinfo_sub', ['agent:name', 'agent_name']),
    userinfo_claims: choice('userinfo_claims', ['by_scope', 'all']),
    basic_encoding: choice('basic_encoding', ['form', 'either']),
    refresh_reuse: choice('refresh_reuse', ['revoke', 'grace']),
    token_typ: choice('token_typ', ['at+jwt', 'JWT']),
    issuer: choice('issuer', ['prefix', 'origin']),
    repeated_exchange: choice('repeated_exchange', ['no', 'yes']),
    unknown_types: choice('unknown_types', ['accept', 'refuse']),
    slow_down: choice('slow_down', ['off', 'on']),
    duplicate_requests: choice('duplicate_requests', ['fold', 'separate']),
    agents_me: choice('agents_me', ['union', 'spec', 'docs']),
    ask_answer: choice('ask_answer', ['union', 'action', 'question']),
    register_status: choice('register_status', ['200', '201']),
    rate_limited: choice('rate_limited', ['rate_limit_exceeded', 'too_many_requests']),
    callback_signature: choice('callback_signature', [
      'both',
      'x-lumo-signature',
      'x-lumoauth-signature',
    ]),
    approved_by: choice('approved_by', ['number', 'both', 'user_id']),
    stream_list: choice('stream_list', ['streams', 'array']),
    push_device: choice('push_device', ['yes', 'email', 'none']),
    unknown_addressee: choice('unknown_addressee', ['email', 'not_found']),
    missing_right: choice('missing_right', ['forbidden', 'approval_forbidden']),
    challenge: ChallengeFormat.default('lumo').describe(describe('challenge')),
    revocation: choice('revocation', ['introspection', 'signals', 'expiry']),
  })
  .meta({ id: 'Dialect' })
export type Dialect = z.infer<typeof Dialect>
