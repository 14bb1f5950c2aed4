import { issuersOf } from '../http/origin/issuer-urls.ts'
import type { TenantContext } from '../http/tenant/tenant-context.ts'
import { isForgedByHmac } from '../signing/forge.ts'
import type { FindKeys } from '../signing/key-set.ts'
import { peekJwt } from '../signing/peek.ts'
import { signJwt } from '../signing/sign.ts'
import type { Verification } from '../signing/verify.ts'

/** A check that token verification can skip. */
export type SkippableCheck =
  | 'expiry'
  | 'audience'
  | 'tenant'
  | 'type'
  | 'signature'
  | 'unsigned'
  | 'hmac'

/** A token and options with which its verification skips one check. */
export type SkippedCheck = Readonly<{
  token: string
  verification: Partial<Pick<Verification, 'issuers' | 'keys' | 'now' | 'types'>>
  /** Additional accepted audiences. */
  audience: readonly string[]
  /** The accepted tenant. */
  tenant: string
}>

/** @returns undefined for a token without this defect, or that is not a JWT */
export const skipTokenCheck = async (
  oversight: SkippableCheck,
  text: string | undefined,
  context: TenantContext,
  others: readonly TenantContext[],
): Promise<SkippedCheck | undefined> => {
  const jwt = peekJwt(text)
  if (jwt === undefined || text === undefined) return undefined
  const { keys } = context
  const { slug } = context.tenant
  const seen: SkippedCheck = { token: text, verification: {}, audience: [], tenant: slug }
  const anew = async () => ({
    ...seen,
    token: await signJwt(keys.current, jwt.claims, { typ: String(jwt.header.typ) }),
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
          keys: keysOf([context, ...others]),
        },
      }
    case 'type':
      return { ...seen, verification: { types: [String(jwt.header.typ)] } }
    case 'signature':
      return jwt.header.alg === keys.current.alg ? anew() : undefined
    case 'unsigned':
      return String(jwt.header.alg).toLowerCase() === 'none' ? anew() : undefined
    case 'hmac':
      return jwt.header.alg === 'HS256' && (await isForgedByHmac(keys.current.publicJwk, text))
        ? anew()
        : undefined
  }
}

const keysOf =
  (registry: readonly TenantContext[]): FindKeys =>
  async (header) => {
    const found = await Promise.allSettled(registry.map(({ keys }) => keys.findKeys(header)))
    return found.flatMap((it) => (it.status === 'fulfilled' ? it.value : []))
  }
