import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { decodeJwt } from 'jose/jwt/decode'

type Members = Readonly<Record<string, unknown>>

/** What a JWT says. Nothing has been verified: good for finding the key, or for showing it. */
export type PeekedJwt = Readonly<{ header: Members; claims: Members }>

/** @returns undefined for what is not a JWT */
export const peekJwt = (text: string | undefined): PeekedJwt | undefined => {
  try {
    return { header: { ...decodeProtectedHeader(text ?? '') }, claims: decodeJwt(text ?? '') }
  } catch {
    return undefined
  }
}
