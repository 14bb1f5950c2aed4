import { hash, timingSafeEqual } from 'node:crypto'

/** SHA-256, so that the secret itself is not stored. */
export const hashSecret = (secret: string): string => hash('sha256', secret, 'base64url')

/** Compares in constant time. */
export const same = (given: string, expected: string): boolean =>
  timingSafeEqual(Buffer.from(hashSecret(given)), Buffer.from(hashSecret(expected)))
