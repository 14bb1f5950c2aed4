/** Why a token was rejected: for tests and the audit log. It is never sent to the client (THR-26). */
export type InvalidTokenReason =
  | 'too_large'
  | 'malformed'
  | 'duplicate_member'
  | 'critical_header'
  | 'type'
  | 'unknown_key'
  | 'algorithm'
  | 'signature'
  | 'claims'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not_yet_valid'

/** Thrown for an invalid token. The message is always the same, so that an attacker learns nothing. */
export class InvalidToken extends Error {
  override readonly name = 'InvalidToken'
  readonly code = 'invalid_token'
  readonly reason: InvalidTokenReason

  constructor(reason: InvalidTokenReason, options?: ErrorOptions) {
    super('the access token is not valid', options)
    this.reason = reason
  }
}
