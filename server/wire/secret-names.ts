/** JSON members that are always secrets, in the form of {@link plainName}. */
const secretMembers = [
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'subjecttoken',
  'actortoken',
  'clientsecret',
  'clientassertion',
  'codeverifier',
  'approvaltoken',
  'authorizationtoken',
  'authorizationheader',
  'registrationaccesstoken',
  'clientnotificationtoken',
  'authreqid',
  'devicecode',
  'webhooksecret',
  'apikey',
  'xapikey',
  'attestationtoken',
  'controltoken',
  'csrf',
  'csrftoken',
  'idtokenhint',
  'loginhinttoken',
  'logouttoken',
  'softwarestatement',
]

/** Names that are not secrets in some answers. */
const ambiguousNames = ['token', 'assertion', 'password', 'authorization']

/** Secrets in forms and queries. In JSON, `code` is an error code, and `key` has no meaning. */
const secretParameters = ['code', 'usercode', 'key']

const members: ReadonlySet<string> = new Set(secretMembers)
const names: ReadonlySet<string> = new Set([...secretMembers, ...ambiguousNames])
const parameters: ReadonlySet<string> = new Set([...names, ...secretParameters])

/** A name without case, `_` and `-`: `client_secret`, `clientSecret` and `Client-Secret` become equal. */
const plainName = (name: string): string => name.toLowerCase().replaceAll(/[-_]/g, '')

/** Whether a parameter of a form or a query is a secret. */
export const isSecretParameter = (name: string): boolean => parameters.has(plainName(name))

/** Whether a JSON member may be a secret. */
export const isSecretName = (name: string): boolean => names.has(plainName(name))

/** Whether a JSON member of this name is a secret in every answer. */
export const isSecretMember = (name: string): boolean => members.has(plainName(name))

/** Whether a parameter is a URL whose query is secret: only its receiver may read it. */
export const isReceiverUrl = (name: string): boolean => receiverUrls.has(plainName(name))

const receiverUrls: ReadonlySet<string> = new Set(['callbackurl', 'endpointurl', 'webhookurl'])

/**
 * Whether records show a header field, given in lower case. Every other field is masked, because
 * proxies and gateways use their own names for credentials.
 */
export const isShownHeader = (name: string): boolean =>
  shownHeaders.has(name) || shownPrefixes.some((prefix) => name.startsWith(prefix))

const shownHeaders: ReadonlySet<string> = new Set([
  'age',
  'allow',
  'cache-control',
  'connection',
  'date',
  'etag',
  'expires',
  'forwarded',
  'from',
  'host',
  'idempotency-key',
  'insufficient-authorization-details',
  'keep-alive',
  'last-event-id',
  'last-modified',
  'link',
  'location',
  'origin',
  'pragma',
  'prefer',
  'range',
  'referer',
  'referrer-policy',
  'retry-after',
  'server',
  'strict-transport-security',
  'te',
  'traceparent',
  'transfer-encoding',
  'upgrade',
  'upgrade-insecure-requests',
  'user-agent',
  'vary',
  'via',
  'www-authenticate',
  'x-accel-buffering',
  'x-content-type-options',
  'x-dns-prefetch-control',
  'x-download-options',
  'x-frame-options',
  'x-lumoauth-delivery',
  'x-lumoauth-timestamp',
  'x-permitted-cross-domain-policies',
  'x-powered-by',
  'x-request-id',
  'x-requested-with',
  'x-stainless-lang',
  'x-xss-protection',
])

const shownPrefixes = [
  'accept',
  'access-control-',
  'content-',
  'cross-origin-',
  'if-',
  'origin-',
  'ratelimit',
  'sec-',
  'x-forwarded-',
  'x-ratelimit-',
]
