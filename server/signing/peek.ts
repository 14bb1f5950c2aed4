import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { decodeJwt } from 'jose/jwt/decode'
import { isDeeper } from '../wire/json.ts'

type Members = Readonly<Record<string, unknown>>

/** What a JWT says. Nothing has been verified: good for finding the key, or for showing it. */
export type PeekedJwt = Readonly<{ header: Members; claims: Members }>

/** @returns undefined for what is not a JWT, or says what is nested too deep */
export const peekJwt = (text: string | undefined): PeekedJwt | undefined => {
  try {
    const header = { ...decodeProtectedHeader(text ?? '') }
    const claims = decodeJwt(text ?? '')
    return isDeeper(header) || isDeeper(claims) ? undefined : { header, claims }
  } catch {
    return undefined
  }
}
