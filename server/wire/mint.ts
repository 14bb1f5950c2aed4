import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { signingAlgorithms } from './signing-algorithms.ts'

export const MintUserToken = z
  .strictObject({
    /** E-mail or id. Default: the first who holds `jit.approve`. */
    user: z.string().optional(),
    /** Default: all that anybody could consent to here. */
    scope: z.string().optional(),
    /** The name of the only agent that may act for the user (RFC 8693 §4.4). */
    may_act: z.string().optional(),
    authorization_details: z.array(AuthorizationDetail).optional(),
    expires_in: z.int().min(1).max(86_400).default(3600),
  })
  .meta({ id: 'MintUserToken' })
export type MintUserToken = z.infer<typeof MintUserToken>

/** A token of a platform the harness plays (`authenticateWorkload.jwks: generate`). */
export const MintWorkloadToken = z
  .strictObject({
    /** Default: the first workload of the seed. */
    subject: z.string().optional(),
    issuer: z.string().optional(),
    audience: z.string().optional(),
    expires_in: z.int().min(-86_400).max(86_400).default(3600),
  })
  .meta({ id: 'MintWorkloadToken' })
export type MintWorkloadToken = z.infer<typeof MintWorkloadToken>

/** Makes a key and publishes it; the one before stays published until it is retired. */
export const RotateKey = z
  .strictObject({
    /** Default: that of the key that signs. */
    algorithm: z.enum(signingAlgorithms).optional(),
    /** Whether it signs from now on. False: it is only published, so that verifiers fetch it first. */
    sign: z.boolean().default(true),
  })
  .meta({ id: 'RotateKey' })
export type RotateKey = z.infer<typeof RotateKey>

/** The names of the keys. `toJwks` is in the order of the JWKS: the one that signs first. */
export const Keys = z
  .object({ current: z.string(), published: z.array(z.string()).min(1) })
  .meta({ id: 'Keys' })
export type Keys = z.infer<typeof Keys>

/**
 * A token made to order, for testing whoever verifies it. Claims and header members given here
 * replace those of a real token; null removes one.
 */
export const ForgeToken = z
  .strictObject({
    agent: z.string().optional(),
    claims: z.record(z.string(), z.unknown()).default({}),
    header: z.record(z.string(), z.unknown()).default({}),
    /** `own`: signed as it should be; `foreign`: by a key nobody publishes; `none`: not at all; `hmac`: with the public key as secret. */
    key: z.enum(['own', 'foreign', 'none', 'hmac']).default('own'),
  })
  .meta({ id: 'ForgeToken' })
export type ForgeToken = z.infer<typeof ForgeToken>

export const MintedToken = z
  .object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.number() })
  .meta({ id: 'MintedToken' })
export type MintedToken = z.infer<typeof MintedToken>
