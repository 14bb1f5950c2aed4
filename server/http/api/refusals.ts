import { createHash } from 'node:crypto'
import { type ApiRefusal, ApiRefused } from '../../api/refusal.ts'
import { formatChallenge } from '../../wire/auth-params.ts'
import type { ErrorCode } from '../../wire/error-codes.ts'
import {
  type AuthorizationDetail,
  type ChallengeFormat,
  canonical,
  encodeChallenge,
  encodeRemediation,
  longestChallenge,
} from '../../wire/index.ts'
import { errorAnswer } from '../errors.ts'
import type { Answer } from '../message.ts'

export type ChallengeStyle = Readonly<{
  challenge: ChallengeFormat
  realm: string
  /** The URL of the protected resource metadata, which every 401 contains (RFC 9728 §5.1). */
  resourceMetadata?: string | undefined
}>

/** Wraps a handler: turns refusals of the resource server into answers. */
export const withApiRefusals =
  <C extends Readonly<{ tenant: ChallengeStyle; resource?: Readonly<{ metadataUrl: string }> }>>(
    handler: (call: C) => Promise<Answer>,
  ) =>
  async (call: C): Promise<Answer> => {
    try {
      return await handler(call)
    } catch (thrown) {
      if (!(thrown instanceof ApiRefused)) throw thrown
      const { challenge, realm } = call.tenant
      const resourceMetadata = call.resource?.metadataUrl
      return renderApiRefusal(thrown.refusal, { challenge, realm, resourceMetadata })
    }
  }

/** The HTTP answer of each refusal of the resource server (RFC 6750 §3.1). */
export const renderApiRefusal = (
  refusal: ApiRefusal,
  { challenge, realm, resourceMetadata }: ChallengeStyle,
): Answer => {
  const { error } = refusal
  const metadata = resourceMetadata === undefined ? {} : { resource_metadata: resourceMetadata }
  switch (error) {
    case 'missing_token':
      // A request without credentials gets no error code (RFC 6750 §3.1).
      return bearer(401, error, 'expected an access token in the Authorization header', {
        realm,
        ...metadata,
      })
    case 'invalid_request':
      return bearer(400, error, refusal.says, { realm, error })
    case 'invalid_token':
      // The same text for every invalid token, so that an attacker learns nothing (RFC 8725, THR-26).
      return bearer(401, error, 'the access token is not valid', { realm, error, ...metadata })
    case 'insufficient_scope':
      return bearer(403, error, `expected the scope ${refusal.scope}`, {
        realm,
        error,
        scope: refusal.scope,
      })
    case 'insufficient_authorization_details':
      return challenges[challenge](refusal.required)
    case 'temporarily_unavailable':
      return errorAnswer(
        503,
        error,
        'the access token cannot be checked at the moment',
        { retry_after: 1 },
        { 'retry-after': '1' },
      )
    case 'not_found':
      return errorAnswer(404, error, `unknown ${refusal.what}`)
    case 'insufficient_storage':
      // RFC 4918 §11.5: the request is valid, but there is no room.
      return errorAnswer(507, error, refusal.says)
  }
}

/** An error with its challenge. */
const bearer = (
  status: number,
  error: ErrorCode,
  description: string,
  parameters: Readonly<Record<string, string>>,
): Answer =>
  withChallenge(status, error, description, parameters.scope ? { scope: parameters.scope } : {}, {
    'www-authenticate': formatChallenge('Bearer', parameters),
  })

/**
 * An error whose header fields have at most `longestChallenge` bytes each. A longer field is omitted,
 * or replaced by a challenge with only the error code, and the body says so: HTTP clients reject a
 * whole answer whose header is too long.
 */
const withChallenge = (
  status: number,
  error: ErrorCode,
  description: string,
  more: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>>,
): Answer => {
  const fitting = Object.entries(headers).filter(([, value]) => value.length <= longestChallenge)
  if (fitting.length === Object.keys(headers).length) {
    return errorAnswer(status, error, description, more, headers)
  }
  return errorAnswer(
    status,
    error,
    `${description}; the challenge is omitted, because one of its header fields is longer than ${longestChallenge} bytes`,
    { ...more, challenge_omitted: true },
    {
      'www-authenticate':
        error === 'missing_token' ? 'Bearer' : formatChallenge('Bearer', { error }),
      ...Object.fromEntries(fitting),
    },
  )
}

const description = 'the access token lacks the required authorization_details'
const draftChallengeCode = 'insufficient_authorization_details'

/** The challenge in each of the four formats; see `ChallengeFormat`. */
const challenges: Record<ChallengeFormat, (required: AuthorizationDetail) => Answer> = {
  lumo: (required) =>
    withChallenge(403, draftChallengeCode, description, hint(required), {
      'www-authenticate': formatChallenge('Bearer', { error: draftChallengeCode }),
      'insufficient-authorization-details': encodeChallenge(required),
    }),
  'rar-04': (required) =>
    withChallenge(403, draftChallengeCode, description, listDetail(required), {
      'www-authenticate': formatChallenge('Bearer', { error: draftChallengeCode }),
    }),
  'wg-00': (required) =>
    withChallenge(
      401,
      'insufficient_authorization',
      description,
      {},
      {
        'www-authenticate': `${formatChallenge('Bearer', { error: 'insufficient_authorization' })}, ${remediation(required)}`,
      },
    ),
  both: (required) =>
    withChallenge(
      403,
      draftChallengeCode,
      description,
      { ...hint(required), ...listDetail(required) },
      {
        'www-authenticate': `${formatChallenge('Bearer', { error: draftChallengeCode })}, ${remediation(required)}`,
        'insufficient-authorization-details': encodeChallenge(required),
      },
    ),
}

const hint = (required: AuthorizationDetail) => ({ authorization_details_hint: required })

const listDetail = (required: AuthorizationDetail) => ({
  authorization_details: [required],
  authorization_details_types_required: [required.type],
})

/** Unquoted as in the draft: base64url without padding is a token (RFC 9110 §5.6.2). */
const remediation = (required: AuthorizationDetail) =>
  `authorization_remediation=${encodeRemediation({
    authorization_details: [required],
    authorization_reference: referenceOf(required),
  })}`

/** Equal for details with the same meaning (RES-04). */
const referenceOf = (required: AuthorizationDetail) =>
  createHash('sha256').update(canonical(required)).digest('base64url').slice(0, 22)
