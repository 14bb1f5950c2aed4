import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { decodeJwt } from 'jose/jwt/decode'
import { parseJson } from '../../server/wire/json.ts'

type Members = Readonly<Record<string, unknown>>

/** The header and the claims of a JWT. Nothing is verified. @returns undefined for what is not a JWT */
export const peekJwt = (
  text: string,
): Readonly<{ header: Members; claims: Members }> | undefined => {
  try {
    return { header: { ...decodeProtectedHeader(text) }, claims: decodeJwt(text) }
  } catch {
    return undefined
  }
}

/** The header and the claims of a JWT, or the JSON inside base64 of either alphabet. Nothing is verified. */
export const decode = (text: unknown): unknown =>
  typeof text === 'string'
    ? (peekJwt(text) ?? parseJson(Buffer.from(text, 'base64').toString('utf8')))
    : undefined
