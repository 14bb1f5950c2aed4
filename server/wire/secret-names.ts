/** Names under which secrets travel: parameters of forms and queries, members of JSON. */
export const secretNames = [
  'client_secret',
  'access_token',
  'refresh_token',
  'id_token',
  'subject_token',
  'actor_token',
  'token',
  'client_assertion',
  'code',
  'code_verifier',
  'assertion',
  'approval_token',
  'authorization_token',
  'registration_access_token',
  'password',
] as const

/** Header fields that are secret as a whole, in lower case. */
export const secretHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'dpop',
])
