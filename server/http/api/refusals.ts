import { createHash } from 'node:crypto'
import { type ApiRefusal, ApiRefused } from '../../api/refusal.ts'
import { formatChallenge } from '../../wire/auth-params.ts'
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
  /** The URL of the metadata of the protected resource, named in every 401 (RFC 9728 §5.1). */
  resourceMetadata?: string | undefined
}>

/** A handler whose refusals by the resource server become answers. */
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

/** How each refusal of the resource server looks over HTTP (RFC 6750 §3.1). */
export const renderApiRefusal = (
  refusal: ApiRefusal,
  { challenge, realm, resourceMetadata }: ChallengeStyle,
): Answer => {
  const { error } = refusal
  const metadata = resourceMetadata === undefined ? {} : { resource_metadata: resourceMetadata }
  switch (error) {
    case 'missing_token':
      // No error code for whoever showed no credentials (RFC 6750 §3.1).
      return bearer(401, error, 'expected an access token in the Authorization header', {
        realm,
        ...metadata,
      })
    case 'invalid_request':
      return bearer(400, error, refusal.says, { realm, error })
    case 'invalid_token':
      // Always the same words: a forger learns nothing (RFC 8725, THR-26).
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
        'whether the access token is valid cannot be told at the moment',
        { retry_after: 1 },
        { 'retry-after': '1' },
      )
    case 'not_found':
      return errorAnswer(404, error, `there is no such ${refusal.what}`)
    case 'insufficient_storage':
      // RFC 4918 §11.5: the request was fine, there is no room for it.
      return errorAnswer(507, error, refusal.says)
  }
}

/** An error with its challenge. */
const bearer = (
  status: number,
  error: string,
  description: string,
  parameters: Readonly<Record<string, string>>,
): Answer =>
  withChallenge(status, error, description, parameters.scope ? { scope: parameters.scope } : {}, {
    'www-authenticate': formatChallenge('Bearer', parameters),
  })

/**
 * An error whose header fields each have at most `longestChallenge` bytes. A longer one is left out, or
 * replaced by a challenge that holds the error code only, and the body says so: a client's HTTP library
 * refuses an answer with too long a header as a whole.
 */
const withChallenge = (
  status: number,
  error: string,
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
    `${description}; the challenge is left out, for a header field of it is longer than ${longestChallenge} bytes`,
    { ...more, challenge_omitted: true },
    {
      'www-authenticate':
        error === 'missing_token' ? 'Bearer' : formatChallenge('Bearer', { error }),
      ...Object.fromEntries(fitting),
    },
  )
}

const description = 'the access token lacks the authorization details that this takes'
const draftChallengeCode = 'insufficient_authorization_details'

/** What is missing, in the four formats; what each is, `ChallengeFormat` says. */
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

/** The same for details that mean the same (RES-04). */
const referenceOf = (required: AuthorizationDetail) =>
  createHash('sha256').update(canonical(required)).digest('base64url').slice(0, 22)
