import type { TimeWindow } from '../../wire/index.ts'

/** A local time in a time zone: day of the week, and time of day. */
export type LocalTime = Readonly<{ day: number; time: string }>

/** Whether a time (epoch seconds) is within a window, in the local time of its zone. */
export const isWithinWindow = (window: TimeWindow, now: number): boolean =>
  isWithinHours(window, localTimeIn(window.zone, now))

/** The same for a known local time. The hours after midnight belong to the day before. */
export const isWithinHours = (
  { days: on, from, to }: TimeWindow,
  { day, time }: LocalTime,
): boolean => {
  const [start, end] = [from ?? '00:00', to ?? '24:00']
  const crosses = start > end
  const isMorningAfter = crosses && time < end
  const inHours = crosses ? isMorningAfter || time >= start : time >= start && time < end
  const dayOfStart = days[(day + (isMorningAfter ? 6 : 0)) % 7] as (typeof days)[number]
  return inHours && (on === undefined || on.includes(dayOfStart))
}

/** The local time in a zone: the day from 0 (Sunday), and a time such as `09:30`. */
export const localTimeIn = (zone: string | undefined, now: number): LocalTime => {
  const date = new Date(now * 1000)
  if (zone === undefined) return { day: date.getUTCDay(), time: date.toISOString().slice(11, 16) }
  const parts = new Map(
    clockOf(zone)
      .formatToParts(date)
      .map(({ type, value }) => [type, value]),
  )
  return {
    day: days.indexOf(parts.get('weekday')?.toLowerCase() as (typeof days)[number]),
    time: `${parts.get('hour')}:${parts.get('minute')}`,
  }
}

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/**
 * Cached, because creating a formatter takes a hundred times longer than using it. There are some 600
 * zones.
 */
const clocks = new Map<string, Intl.DateTimeFormat>()

const clockOf = (zone: string): Intl.DateTimeFormat => {
  const known = clocks.get(zone)
  if (known !== undefined) return known
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  clocks.set(zone, clock)
  return clock
}
