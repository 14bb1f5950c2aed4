import { z } from 'zod'
import { longestField, parseChallenges } from './auth-params.ts'
import { AuthorizationDetail } from './authorization-detail.ts'
import { ErrorBody } from './error.ts'
import { JsonBoundsError, readJson } from './json.ts'

/**
 * How a resource server names the missing permission.
 *
 * - `lumo`: LumoAuth's docs: 403, `Insufficient-Authorization-Details`, standard padded base64 of one
 * object
 * - `rar-04`: draft-zehavi-oauth-rar-metadata-04: 403 with the details in the JSON body
 * - `wg-00`: draft-ietf-oauth-rar-metadata-remediation-00: 401 with `authorization_remediation`
 * - `both`: the answer of `lumo` with the body and the parameter of the drafts added
 */
export const ChallengeFormat = z.enum(['lumo', 'rar-04', 'wg-00', 'both'])
export type ChallengeFormat = z.infer<typeof ChallengeFormat>

/** The header of LumoAuth's challenge, in lower case (CONTRACT.md#challenge). */
export const challengeHeader = 'insufficient-authorization-details'

/** The body of LumoAuth's challenge (CONTRACT.md#challenge). Clients read only the header. */
export const ChallengeBody = ErrorBody.extend({
  authorization_details_hint: AuthorizationDetail.optional(),
  authorization_details: z.array(AuthorizationDetail).optional(),
  authorization_details_types_required: z.array(z.string()).optional(),
}).meta({ id: 'Challenge' })
export type ChallengeBody = z.infer<typeof ChallengeBody>

/** The decoded `authorization_remediation` (standards §2, -06). */
export const Remediation = z.looseObject({
  authorization_details: z.array(AuthorizationDetail).min(1).max(16),
  authorization_reference: z.string().optional(),
})
export type Remediation = z.infer<typeof Remediation>

/** Longest header value, in characters, that is decoded (HDR-02). */
export const longestChallenge = 4096

/**
 * Standard alphabet, padded, compact: the one encoding that every SDK reads
 * (CONTRACT.md#encoding-of-the-challenge).
 */
export const encodeChallenge = (detail: AuthorizationDetail): string =>
  toBase64(JSON.stringify(detail))

/** Unpadded base64url, as in the unquoted examples of the draft (standards §2). */
export const encodeRemediation = (remediation: Remediation): string =>
  toBase64(JSON.stringify(remediation)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/**
 * Thrown for a challenge that cannot be parsed; the message says why. The caller returns the original
 * answer.
 */
export class MalformedChallenge extends Error {
  override readonly name = 'MalformedChallenge'
  readonly code = 'malformed_challenge'
}

/**
 * Reads the details that a challenge names, from LumoAuth's header or from the parameter of the drafts.
 * Accepts both base64 alphabets, padded or not, and an object or an array (HDR-01 to HDR-05), within
 * the bounds `longestChallenge`, `longestField` and `deepestJson`.
 * @returns undefined when the answer has no challenge
 * @throws {MalformedChallenge} when the challenge cannot be parsed
 */
export const readChallenge = (
  status: number,
  headers: { get(name: string): string | null },
): readonly AuthorizationDetail[] | undefined => {
  const header = headers.get(challengeHeader)
  if (status === 403 && header !== null) return details(decode(header))
  if (status !== 401 && status !== 403) return undefined
  const remediation = remediationIn(headers.get('www-authenticate') ?? '')
  return remediation === undefined
    ? undefined
    : checked(Remediation, decode(remediation)).authorization_details
}

/**
 * The parameter of a challenge whose scheme uses access tokens. A parameter name quoted within another
 * value does not count.
 */
const remediationIn = (field: string): string | undefined => {
  if (field.length > longestField) {
    throw new MalformedChallenge(`WWW-Authenticate is longer than ${longestField} characters`)
  }
  const challenges = parseChallenges(field)
  if (challenges === undefined && /authorization_remediation/i.test(field)) {
    throw new MalformedChallenge('WWW-Authenticate is not a list of challenges (RFC 9110 §11.6.1)')
  }
  return challenges
    ?.find(
      ({ scheme, parameters }) =>
        tokenSchemes.includes(scheme) && parameters.has('authorization_remediation'),
    )
    ?.parameters.get('authorization_remediation')
}

const tokenSchemes = ['bearer', 'dpop']

const Details = z.array(AuthorizationDetail).min(1).max(16)

const DraftBody = z.looseObject({
  error: z.literal('insufficient_authorization_details'),
  authorization_details: Details,
})

/** Reads the details of a draft -04 challenge from the JSON body of the 403. */
export const readChallengeBody = (body: unknown): readonly AuthorizationDetail[] | undefined => {
  const parsed = DraftBody.safeParse(body)
  return parsed.success ? parsed.data.authorization_details : undefined
}

const details = (value: unknown): readonly AuthorizationDetail[] =>
  Array.isArray(value) ? checked(Details, value) : [checked(AuthorizationDetail, value)]

const checked = <T>(schema: z.ZodType<T>, value: unknown): T => {
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw new MalformedChallenge(
      `the challenge is not an authorization detail: ${z.prettifyError(parsed.error)}`,
    )
  return parsed.data
}

const decode = (encoded: string): unknown => {
  if (encoded.length > longestChallenge) {
    throw new MalformedChallenge(`the challenge is longer than ${longestChallenge} characters`)
  }
  const standard = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded)
  const urlSafe = /^[A-Za-z0-9_-]+={0,2}$/.test(encoded)
  if (!standard && !urlSafe) {
    throw new MalformedChallenge('the challenge is not base64 (one value, one alphabet)')
  }
  const json = decodeText(encoded)
  try {
    return readJson(json, { refusedNames: ['__proto__', 'constructor'] })
  } catch (cause) {
    if (cause instanceof JsonBoundsError) {
      throw new MalformedChallenge(`the challenge ${cause.message}`, { cause })
    }
    throw new MalformedChallenge('the challenge does not decode to JSON', { cause })
  }
}

const decodeText = (encoded: string): string => {
  try {
    const bytes = Uint8Array.from(atob(encoded.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
      c.charCodeAt(0),
    )
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new MalformedChallenge('the challenge does not decode to JSON', { cause })
  }
}

const toBase64 = (text: string): string =>
  btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
