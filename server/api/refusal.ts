import type { AuthorizationDetail } from '../wire/index.ts'

/** Every refusal of the resource server, as plain data without HTTP status codes. */
export type ApiRefusal =
  | { error: 'missing_token' }
  | { error: 'invalid_request'; says: string }
  /** `why` is for the audit log. It is never sent to the client. */
  | { error: 'invalid_token'; why: string }
  | { error: 'insufficient_scope'; scope: string }
  | { error: 'insufficient_authorization_details'; required: AuthorizationDetail }
  /** The issuer could not be asked whether the token is active. */
  | { error: 'temporarily_unavailable'; why: string }
  | { error: 'not_found'; what: 'document' | 'report' }
  | { error: 'insufficient_storage'; says: string }

/** Carries a refusal to the code that renders it. */
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
