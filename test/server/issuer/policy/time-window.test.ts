import { describe, expect, it } from 'vitest'
import { isWithinWindow, localTimeIn } from '../../../../server/issuer/policy/time-window.ts'
import { Policy, TimeWindow } from '../../../../server/wire/index.ts'
import { FlawedFile, parseYaml } from '../../../../server/wire/yaml-source.ts'

const at = (iso: string) => Date.parse(iso) / 1000
const within = (window: (typeof TimeWindow)['_zod']['input'], iso: string) =>
  isWithinWindow(TimeWindow.parse(window), at(iso))

describe('a time window in a zone', () => {
  it('follows the wall clock in winter and in summer', () => {
    const office = { from: '09:00', to: '17:00', zone: 'Europe/Berlin' } as const

    expect(within(office, '2026-01-15T07:59:00Z')).toBe(false)
    expect(within(office, '2026-01-15T08:00:00Z')).toBe(true)
    expect(within(office, '2026-07-15T06:59:00Z')).toBe(false)
    expect(within(office, '2026-07-15T07:00:00Z')).toBe(true)
    expect(within(office, '2026-07-15T15:00:00Z')).toBe(false)
  })

  it('is an hour shorter when summer time begins, and an hour longer when it ends', () => {
    const night = { from: '01:00', to: '04:00', zone: 'Europe/Berlin' } as const
    const minutes = (day: string) =>
      Array.from(
        { length: 24 * 60 },
        (_, minute) => at(`${day}T00:00:00Z`) - 7200 + minute * 60,
      ).filter((now) => isWithinWindow(night, now)).length

    expect(minutes('2026-03-29')).toBe(120)
    expect(minutes('2026-10-25')).toBe(240)
    expect(minutes('2026-11-24')).toBe(180)
  })

  it('never matches in the hour that summer time skips', () => {
    const left = { from: '02:00', to: '03:00', zone: 'Europe/Berlin' } as const

    expect(within(left, '2026-03-29T00:59:00Z')).toBe(false)
    expect(within(left, '2026-03-29T01:00:00Z')).toBe(false)
    expect(within(left, '2026-03-30T00:30:00Z')).toBe(true)
  })

  it('uses the day of the zone, also for the hours after midnight', () => {
    const monday = { days: ['mon'], from: '22:00', to: '06:00', zone: 'Asia/Tokyo' } as const
    const window = { ...monday, days: [...monday.days] }

    // Tuesday 05:00 in Tokyo is Monday 20:00 UTC.
    expect(within(window, '2026-11-23T20:00:00Z')).toBe(true)
    expect(within(window, '2026-11-22T20:00:00Z')).toBe(false)
    expect(within(window, '2026-11-23T13:00:00Z')).toBe(true)
  })

  it('is in UTC by default', () => {
    expect(within({ from: '09:00', to: '17:00' }, '2026-07-15T08:59:00Z')).toBe(false)
    expect(localTimeIn(undefined, at('2026-07-15T08:59:00Z'))).toEqual({ day: 3, time: '08:59' })
    expect(localTimeIn('UTC', at('2026-07-15T08:59:00Z'))).toEqual({ day: 3, time: '08:59' })
    expect(localTimeIn('UTC', at('2026-07-15T00:00:00Z'))).toEqual({ day: 3, time: '00:00' })
  })

  it('supports offsets with half hours, and offsets above 12 hours', () => {
    expect(localTimeIn('Asia/Kolkata', at('2026-07-15T00:00:00Z'))).toEqual({
      day: 3,
      time: '05:30',
    })
    expect(localTimeIn('Pacific/Kiritimati', at('2026-07-15T11:00:00Z'))).toEqual({
      day: 4,
      time: '01:00',
    })
  })

  it.each(['Europe/Berln', '+01:00', '', 'Mars/Olympus'])(
    'is rejected with the unknown zone %j, with its position',
    (zone) => {
      const text = `rules:\n  - { name: a, risk: low, decision: ask, when: { time: { zone: "${zone}" } } }\n`

      expect(() => parseYaml('policy.yaml', text, Policy)).toThrow(FlawedFile)
      expect(() => parseYaml('policy.yaml', text, Policy)).toThrow(
        /^policy\.yaml:2:\d+: rules\.0\.when\.time\.zone: expected an IANA time zone/,
      )
    },
  )
})
