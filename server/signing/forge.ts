import { createHmac } from 'node:crypto'
import { generateSigningKey, type SigningKey } from './keys.ts'
import { encode, signJwt } from './sign.ts'

/** How a forged token is signed; `ForgeToken.key` of the control plane says what each means. */
export type Forgery = 'own' | 'foreign' | 'none' | 'hmac'

/** A token to test whoever verifies it. Header members given here replace the usual ones; null removes one. */
export const forgeJwt = async (
  key: SigningKey,
  forgery: Forgery,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> => {
  const members = without({ typ: 'at+jwt', ...unsigned[forgery], ...header })
  switch (forgery) {
    case 'own':
      return signJwt(key, claims, members)
    case 'foreign':
      return signJwt(await generateSigningKey(key.alg, key.kid), claims, members)
    case 'none':
      return `${input(key, claims, members)}.`
    case 'hmac': {
      const secret = key.publicKey.export({ format: 'pem', type: 'spki' })
      const text = input(key, claims, members)
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
    }
  }
}

const unsigned: Record<Forgery, Readonly<Record<string, unknown>>> = {
  own: {},
  foreign: {},
  none: { alg: 'none' },
  hmac: { alg: 'HS256' },
}

const input = (key: SigningKey, claims: object, header: object) =>
  `${encode({ kid: key.kid, ...header })}.${encode(claims)}`

/** JSON leaves out what is undefined. */
const without = (header: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(header).map(([name, value]) => [name, value ?? undefined]))
