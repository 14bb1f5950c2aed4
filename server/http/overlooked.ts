import { createHmac } from 'node:crypto'
import { signJwt } from '../signing/sign.ts'
import type { Verification } from '../signing/verify.ts'
import { type Jwt, readJwt } from './altered.ts'
import { issuersOf, type Tenancy } from './tenancy.ts'

/** What somebody who verifies tokens may fail to look at. */
export type Oversight =
  | 'expiry'
  | 'audience'
  | 'tenant'
  | 'type'
  | 'signature'
  | 'unsigned'
  | 'hmac'

/** A token, and how to verify it, so that the oversight does not show; the rest is still verified. */
export type Overlooked = Readonly<{
  token: string
  verification: Partial<Pick<Verification, 'issuers' | 'keys' | 'now' | 'types'>>
  /** Names by which the token is meant for whoever verifies it. */
  audience: readonly string[]
  /** The tenant that it may be of. */
  tenant: string
}>

/** @returns undefined for a token without this flaw, or that is no JWT */
export const overlook = async (
  oversight: Oversight,
  text: string | undefined,
  tenancy: Tenancy,
  others: readonly Tenancy[],
): Promise<Overlooked | undefined> => {
  const jwt = readJwt(text)
  if (jwt === undefined || text === undefined) return undefined
  const { keys } = tenancy
  const { slug } = tenancy.tenant
  const seen: Overlooked = { token: text, verification: {}, audience: [], tenant: slug }
  const anew = async () => ({
    ...seen,
    token: await signJwt(keys.current, jwt.claims, { typ: jwt.header.typ }),
  })
  switch (oversight) {
    case 'expiry':
      return { ...seen, verification: { now: Number(jwt.claims.exp) - 1 } }
    case 'audience':
      return { ...seen, audience: [jwt.claims.aud].flat().map(String) }
    case 'tenant':
      return {
        ...seen,
        audience: [jwt.claims.aud].flat().map(String),
        tenant: String(jwt.claims.tenant),
        verification: {
          issuers: others.flatMap(issuersOf),
          keys: (kid) => [tenancy, ...others].flatMap((it) => it.keys.find(kid) ?? [])[0],
        },
      }
    case 'type':
      return { ...seen, verification: { types: [String(jwt.header.typ)] } }
    case 'signature':
      return jwt.header.alg === keys.current.alg ? anew() : undefined
    case 'unsigned':
      return String(jwt.header.alg).toLowerCase() === 'none' ? anew() : undefined
    case 'hmac':
      return isSignedWithPublicKey(jwt, tenancy) ? anew() : undefined
  }
}

/** JWT-02: the public key of the tenant, as text, taken for a shared secret. */
const isSignedWithPublicKey = ({ text, header }: Jwt, { keys }: Tenancy): boolean => {
  const [head, claims, signature] = text.split('.')
  const secret = keys.current.publicKey.export({ format: 'pem', type: 'spki' })
  const expected = createHmac('sha256', secret).update(`${head}.${claims}`).digest('base64url')
  return header.alg === 'HS256' && signature === expected
}
