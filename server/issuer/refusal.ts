import type { ErrorCode } from '../wire/error-codes.ts'
import type { AuthorizationDetail, Dialect } from '../wire/index.ts'

/** Every refusal of the rules, as plain data without HTTP status codes. */
export type Refusal =
  | { error: 'not_found'; what: string }
  | { error: 'task_forbidden'; taskId: string; tokenTaskId?: string }
  | { error: 'task_not_active'; taskId: string; status: string }
  | { error: 'request_forbidden'; requestId: string }
  | { error: 'request_not_approved'; requestId: string; status: string; reason?: string }
  | { error: 'already_exchanged'; requestId: string }
  | { error: 'already_decided'; requestId: string; status: string; by: string }
  | { error: 'request_expired'; requestId: string }
  | { error: 'approval_forbidden'; reason: string }
  | { error: 'delegation_not_allowed'; as?: Dialect['no_delegation']; reason?: string }
  | { error: 'delegation_depth_exceeded'; maxDepth: number }
  | { error: 'insufficient_scope'; allowed: readonly string[]; status: string }
  | { error: 'invalid_grant' | 'invalid_target' | 'access_denied'; reason: string }
  | { error: 'bad_exchange_token'; as: Dialect['exchange_bad_token']; reason: string }
  | { error: 'unauthorized_client'; grant: string; status: string }
  | { error: 'assertion_used' }
  | {
      error:
        | 'invalid_request'
        | 'unsupported_response_type'
        | 'login_required'
        | 'invalid_redirect_uri'
        | 'invalid_client_metadata'
      reason: string
    }
  | { error: 'unknown_user'; user: string }
  | { error: 'invalid_scope'; scope: string; allowed: readonly string[] }
  | { error: 'invalid_authorization_details'; reason: string; detail?: AuthorizationDetail }
  | { error: 'slow_down'; interval: number }
  | { error: 'budget_exceeded'; what: string; limit: number; retryAfter: number }
  | { error: 'limit_reached'; what: string; limit: number }
  /** What is wrong with an authorization request, by its own error code. */
  | { error: 'authorization_request'; as: ErrorCode; reason: string }
  | { error: 'registration_forbidden'; reason: string }
  | { error: 'agent_exists'; clientId: string }
  | { error: 'capability_denied'; missing: readonly string[] }
  | { error: 'unknown_stream' }

/** Carries a rule's refusal to the code that renders it. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.error)
    this.refusal = refusal
  }
}

/** @throws {Refused} always */
export const refuse = (refusal: Refusal): never => {
  throw new Refused(refusal)
}
