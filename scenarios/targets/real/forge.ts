import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  sign,
} from 'node:crypto'
import type { z } from 'zod'
import type { ForgeToken } from '../../../server/wire/index.ts'
import { decode } from '../../language/decode.ts'
import { isObject } from '../../language/match.ts'
import { SkipScenario } from '../../language/target.ts'

type ForgeOrder = z.output<typeof ForgeToken>

/**
 * A token as an attacker makes it, who has a real one and no key of the issuer: not signed, signed
 * by a key of their own, or by HMAC with the public key.
 * @throws {Unable} where the real one is no JWT
 */
export const forgeToken = (
  { claims, header, key }: Pick<ForgeOrder, 'claims' | 'header' | 'key'>,
  real: string,
  keys: readonly JsonWebKey[],
): string => {
  const decoded = decode(real)
  if (!isObject(decoded) || !isObject(decoded.claims) || !isObject(decoded.header)) {
    throw new SkipScenario('the issuer’s tokens are no JWTs, so none can be forged')
  }
  const alg = { none: 'none', hmac: 'HS256', foreign: 'RS256', own: '' }[key]
  const head = mergeMembers({ ...decoded.header, alg }, header)
  const signed = [head, mergeMembers(decoded.claims, claims)]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${signature(signed, key, keyOf(keys, decoded.header.kid))}`
}

const signature = (signed: string, key: ForgeOrder['key'], published: JsonWebKey | undefined) => {
  if (key === 'none') return ''
  if (key === 'foreign') {
    return sign('sha256', Buffer.from(signed), foreignKey()).toString('base64url')
  }
  if (published === undefined) throw new SkipScenario('the issuer’s key is not published')
  const pem = createPublicKey({ key: published, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  })
  return createHmac('sha256', pem).update(signed).digest('base64url')
}

const keyOf = (keys: readonly JsonWebKey[], kid: unknown) =>
  keys.find((it) => it.kid === kid) ?? keys[0]

let foreign: ReturnType<typeof generateKeyPairSync>['privateKey'] | undefined
const foreignKey = () => {
  foreign ??= generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  return foreign
}

/** Null removes a member. */
const mergeMembers = (
  from: Readonly<Record<string, unknown>>,
  by: Readonly<Record<string, unknown>>,
): Record<string, unknown> =>
  Object.fromEntries(Object.entries({ ...from, ...by }).filter(([, value]) => value !== null))
