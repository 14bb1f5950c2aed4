import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { decodeJwt } from 'jose/jwt/decode'
import { isDeeper } from '../wire/json.ts'

type Members = Readonly<Record<string, unknown>>

/** Header and claims of a JWT, not verified. Use it only to find the key, or to display the token. */
export type PeekedJwt = Readonly<{ header: Members; claims: Members }>

/** @returns undefined for a text that is not a JWT, or that is nested too deeply */
export const peekJwt = (text: string | undefined): PeekedJwt | undefined => {
  try {
    const header = { ...decodeProtectedHeader(text ?? '') }
    const claims = decodeJwt(text ?? '')
    return isDeeper(header) || isDeeper(claims) ? undefined : { header, claims }
  } catch {
    return undefined
  }
}
