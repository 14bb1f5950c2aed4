import { CompactSign } from 'jose/jws/compact/sign'
import type { SigningKey } from './keys.ts'

/** Header of a signed JWT, besides `alg` and `kid`. `forge.ts` writes other headers. */
export type Header = Readonly<{ typ: string }>

/** RFC 9068 §2.1. */
export const accessTokenHeader: Header = { typ: 'at+jwt' }

/** A compact JWS (RFC 7515 §7.1) with the key's `alg` and `kid`. */
export const signJwt = (
  { alg, kid, privateJwk }: SigningKey,
  claims: Readonly<Record<string, unknown>>,
  { typ }: Header = accessTokenHeader,
): Promise<string> =>
  // In jsdom, `Uint8Array` is not the class of what `TextEncoder` returns, and jose compares classes.
  new CompactSign(new Uint8Array(utf8.encode(JSON.stringify(claims))))
    .setProtectedHeader({ alg, kid, typ })
    .sign(privateJwk)

const utf8 = new TextEncoder()
