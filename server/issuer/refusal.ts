import type { AuthorizationDetail } from '../wire/index.ts'

/** Every way the rules say no. Plain data: it knows nothing of status codes. */
export type Refusal =
  | { error: 'not_found'; what: string }
  | { error: 'task_forbidden'; taskId: string }
  | { error: 'task_not_active'; taskId: string; status: string }
  | { error: 'request_forbidden'; requestId: string }
  | { error: 'request_not_approved'; requestId: string; status: string; reason?: string }
  | { error: 'already_exchanged'; requestId: string }
  | { error: 'already_decided'; requestId: string; status: string; by: string }
  | { error: 'request_expired'; requestId: string }
  | { error: 'approval_forbidden'; reason: string }
  | { error: 'delegation_not_allowed' }
  | { error: 'unknown_user'; user: string }
  | { error: 'invalid_scope'; scope: string; allowed: readonly string[] }
  | { error: 'invalid_authorization_details'; reason: string; detail: AuthorizationDetail }
  | { error: 'slow_down'; interval: number }

/** A rule's refusal on its way to whoever renders it. */
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
