/** Signature algorithms of the issuer. `EdDSA` is the deprecated name of `Ed25519` (RFC 9864 §4.1). */
export const signingAlgorithms = ['RS256', 'ES256', 'EdDSA', 'Ed25519'] as const
