import type { AuthorizationDetail } from '../wire/index.ts'

/** Every way the resource server says no. Plain data: it knows nothing of status codes. */
export type ApiRefusal =
  | { error: 'missing_token' }
  | { error: 'invalid_request'; says: string }
  /** `why` is for the audit log; whoever sent the token never sees it. */
  | { error: 'invalid_token'; why: string }
  | { error: 'insufficient_scope'; scope: string }
  | { error: 'insufficient_authorization_details'; required: AuthorizationDetail }
  /** Nobody could be asked whether the token is good. */
  | { error: 'temporarily_unavailable'; why: string }
  | { error: 'not_found'; what: 'document' | 'report' }
  | { error: 'insufficient_storage'; says: string }

/** A refusal on its way to whoever renders it. */
export class ApiRefused extends Error {
  override readonly name = 'ApiRefused'
  readonly refusal: ApiRefusal
  constructor(refusal: ApiRefusal, options?: ErrorOptions) {
    super(refusal.error, options)
    this.refusal = refusal
  }
}

/** @throws {ApiRefused} always */
export const refuse = (refusal: ApiRefusal, cause?: unknown): never => {
  throw new ApiRefused(refusal, { cause })
}
