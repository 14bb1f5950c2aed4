import { z } from 'zod'

const shape = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/

const error = 'expected a duration: seconds, or ISO 8601 such as PT5M'

/** A hundred years in seconds: the sum with any current time is still a valid date. */
const century = 100 * 366 * 24 * 3600

/** A span of time: seconds, or ISO 8601 such as `PT5M`. Parses to seconds. */
export const Duration = z
  .union([z.number().nonnegative({ error }), z.string().regex(shape, { error })], { error })
  .transform((value) => (typeof value === 'number' ? value : secondsOf(value)))
  .pipe(z.number().max(century, { error: 'expected at most a hundred years' }))
export type Duration = z.infer<typeof Duration>

const secondsOf = (text: string): number => {
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = shape.exec(text) ?? []
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)
}
