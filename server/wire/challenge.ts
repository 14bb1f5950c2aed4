import { z } from 'zod'
import { longestField, parseChallenges } from './auth-params.ts'
import { AuthorizationDetail } from './authorization-detail.ts'
import { ErrorBody } from './error.ts'
import { JsonBoundsError, readJson } from './json.ts'

/**
 * How a resource server says what is missing.
 * - `lumo`: LumoAuth's docs: 403, `Insufficient-Authorization-Details`, standard padded base64 of one object
 * - `rar-04`: draft-zehavi-oauth-rar-metadata-04: 403 with the details in the JSON body
 * - `wg-00`: draft-ietf-oauth-rar-metadata-remediation-00: 401 with `authorization_remediation`
 * - `both`: `lumo`'s answer that also carries the body and the parameter of the drafts
 */
export const ChallengeFormat = z.enum(['lumo', 'rar-04', 'wg-00', 'both'])
export type ChallengeFormat = z.infer<typeof ChallengeFormat>

export const challengeHeader = 'insufficient-authorization-details'

/** The body beside LumoAuth's header (contract §4); clients read the header only. */
export const ChallengeBody = ErrorBody.extend({
  authorization_details_hint: AuthorizationDetail.optional(),
  authorization_details: z.array(AuthorizationDetail).optional(),
  authorization_details_types_required: z.array(z.string()).optional(),
}).meta({ id: 'Challenge' })
export type ChallengeBody = z.infer<typeof ChallengeBody>

/** What `authorization_remediation` decodes to (standards §2, -06). */
export const Remediation = z.looseObject({
  authorization_details: z.array(AuthorizationDetail).min(1).max(16),
  authorization_reference: z.string().optional(),
})
export type Remediation = z.infer<typeof Remediation>

/** The longest header value that is decoded at all (HDR-02). */
export const longestChallenge = 4096

/** Standard alphabet, padded, compact: the one encoding every SDK reads (contract §4). */
export const encodeChallenge = (detail: AuthorizationDetail): string =>
  toBase64(JSON.stringify(detail))

/** Unpadded base64url, as the examples of the draft are unquoted (standards §2). */
export const encodeRemediation = (remediation: Remediation): string =>
  toBase64(JSON.stringify(remediation)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/** A challenge that could not be understood, and why; the caller shows the original answer instead. */
export class MalformedChallenge extends Error {
  override readonly name = 'MalformedChallenge'
  readonly code = 'malformed_challenge'
}

/**
 * The details a challenge names, from either of LumoAuth's header or the drafts' parameter.
 * Accepts both alphabets, padded or not, an object or an array (HDR-01 to HDR-05), within the bounds of
 * `longestChallenge`, `longestField` and `deepestJson`.
 * @returns undefined when the answer is no challenge at all
 * @throws {MalformedChallenge} when it is one, but not one to act on
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

/** The parameter of a challenge that takes an access token; one quoted within another value is none. */
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

/** The details of a draft -04 challenge, which travel in the JSON body of the 403. */
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
