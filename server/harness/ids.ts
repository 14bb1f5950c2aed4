import { randomUUID } from 'node:crypto'
import type { Ids } from '../issuer/tenant.ts'

/** A prefix with sixteen random hexadecimal digits, as in LumoAuth's examples. */
export const randomIds: Ids = (prefix) => {
  // Node generates random bytes for many UUIDs at once. All but the middle of a UUID is random.
  const uuid = randomUUID()
  return `${prefix}_${uuid.slice(0, 8)}${uuid.slice(-8)}`
}

/**
 * Generates the same ids in the same order for the same seed. For tests, because such ids are
 * predictable.
 * @param resets how often the tenant was reset; its ids are not repeated
 */
export const seededIds = (seed: number, resets = 0): Ids => {
  const next = mulberry32(seed ^ Math.imul(resets, 0x9e3779b1))
  const word = () => next().toString(16).padStart(8, '0')
  return (prefix) => `${prefix}_${word()}${word()}`
}

/** A small generator of 32-bit words, which only needs to be repeatable. */
const mulberry32 = (seed: number) => {
  let a = seed | 0
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
}
