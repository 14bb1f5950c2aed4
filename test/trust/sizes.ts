/**
 * How often something is tried: as an environment variable says, else its nightly number with
 * `NIGHTLY=1`, else few enough to wait for.
 */
export const size = (name: string, usual: number, nightly: number): number =>
  Number(process.env[name] ?? (process.env.NIGHTLY === '1' ? nightly : usual))

/** A generator of numbers in [0, 1) that gives the same numbers for the same seed. */
export const randomFrom = (seed: number) => {
  let state = seed | 0
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
