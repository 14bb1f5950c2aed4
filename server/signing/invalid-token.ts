/** Why a token was refused: for tests and the audit log, never for whoever sent it (THR-26). */
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

/** Whatever is wrong, the message is the same: a forger learns nothing. */
export class InvalidToken extends Error {
  override readonly name = 'InvalidToken'
  readonly code = 'invalid_token'
  readonly reason: InvalidTokenReason

  constructor(reason: InvalidTokenReason, options?: ErrorOptions) {
    super('the access token is not valid', options)
    this.reason = reason
  }
}
