import { describe, expect, it } from 'vitest'
import { Duration } from '../../../server/wire/duration.ts'

const century = 100 * 366 * 24 * 3600

describe('a duration', () => {
  it.each<[number | string, number]>([
    [0, 0],
    [1.5, 1.5],
    ['PT5S', 5],
    ['PT5M', 300],
    ['PT2H', 7200],
    ['P3D', 259_200],
    ['P1DT2H3M4S', 93_784],
    ['PT1H30S', 3630],
    [century, century],
  ])('of %j is %i seconds', (value, seconds) => {
    expect(Duration.parse(value)).toBe(seconds)
  })

  it.each([
    -1,
    '5',
    '5M',
    'PT5',
    'P5M',
    'PT5X',
    'xPT5M',
    'PT5Mx',
    'T5M',
    century + 1,
    'P36601D',
    null,
  ])('must not be %j', (value) => {
    expect(Duration.safeParse(value).success).toBe(false)
  })
})
