import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { signingAlgorithms } from './signing-algorithms.ts'

/** Body of a request for an access token of a user, without sign-in or consent. */
export const MintUserToken = z
  .strictObject({
    /** E-mail address or id. Default: the first user with `jit.approve`. */
    user: z.string().optional(),
    /** Default: every scope that a user of this tenant can consent to. */
    scope: z.string().optional(),
    /** The name of the only agent that may act for the user (RFC 8693 §4.4). */
    may_act: z.string().optional(),
    authorization_details: z.array(AuthorizationDetail).optional(),
    expires_in: z.int().min(1).max(86_400).default(3600),
  })
  .meta({ id: 'MintUserToken' })
export type MintUserToken = z.infer<typeof MintUserToken>

/** Body of a request for a token of a simulated platform (`authenticateWorkload.jwks: generate`). */
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

/**
 * Body of a key rotation. Generates and publishes a key; the previous key stays published until it is
 * retired.
 */
export const RotateKey = z
  .strictObject({
    /** Default: the algorithm of the current signing key. */
    algorithm: z.enum(signingAlgorithms).optional(),
    /**
     * Whether the new key signs from now on. False: it is only published, so that verifiers fetch it
     * first.
     */
    sign: z.boolean().default(true),
  })
  .meta({ id: 'RotateKey' })
export type RotateKey = z.infer<typeof RotateKey>

/** The `kid` of each published key, in the order of the JWKS: the signing key first. */
export const Keys = z
  .object({ current: z.string(), published: z.array(z.string()).min(1) })
  .meta({ id: 'Keys' })
export type Keys = z.infer<typeof Keys>

/**
 * Body of a request for a forged token, for tests of token verification. The given claims and header
 * members replace those of a valid token; null removes one.
 */
export const ForgeToken = z
  .strictObject({
    agent: z.string().optional(),
    claims: z.record(z.string(), z.unknown()).default({}),
    header: z.record(z.string(), z.unknown()).default({}),
    /**
     * `own`: signed with the published key; `foreign`: with an unpublished key; `none`: unsigned;
     * `hmac`: HMAC with the public key as secret.
     */
    key: z.enum(['own', 'foreign', 'none', 'hmac']).default('own'),
  })
  .meta({ id: 'ForgeToken' })
export type ForgeToken = z.infer<typeof ForgeToken>

/** A token made by the control plane. */
export const MintedToken = z
  .object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.number() })
  .meta({ id: 'MintedToken' })
export type MintedToken = z.infer<typeof MintedToken>
