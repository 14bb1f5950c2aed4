import {
  isWithinHours,
  type LocalTime,
  localTimeIn,
} from '../../server/issuer/policy/time-window.ts'
import type { TimeWindow } from '../../server/wire/index.ts'

/** Moments that are in the same windows of a set, represented by one of them. */
export type MomentClass = Readonly<{
  /** Epoch seconds. */
  at: number
  /** Indexes of the windows that contain it. */
  within: ReadonlySet<number>
}>

/** Monday 23 November 2026 in UTC. Zones are examined for two years from then. */
const monday = Date.UTC(2026, 10, 23) / 1000
const hour = 3600
const hours = 2 * 366 * 24

/**
 * All classes of moments that the windows distinguish. Windows begin and end at full minutes of the week in
 * the local time of their zone. So it is enough to examine those minutes, once for each combination of
 * offsets that the zones have in two years.
 * @param first a moment that represents its class
 */
export const momentClasses = (windows: readonly TimeWindow[], first: number): MomentClass[] => {
  const zones = [...new Set(windows.map(({ zone }) => zone))]
  const found = new Map<string, MomentClass>()
  const note = (at: number) => {
    const times = new Map(zones.map((zone) => [zone, localTimeIn(zone, at)]))
    const within = windows.flatMap((window, index) =>
      isWithinHours(window, times.get(window.zone) as LocalTime) ? [index] : [],
    )
    const key = within.join()
    if (!found.has(key)) found.set(key, { at, within: new Set(within) })
  }
  note(first)
  const minutes = minutesOf(windows)
  for (const start of hoursToLookAt(zones)) for (const it of minutes) note(start + it * 60)
  return [...found.values()]
}

/** The minutes of an hour at which a window may begin or end; offsets are multiples of a quarter. */
const minutesOf = (windows: readonly TimeWindow[]): number[] => {
  const edges = windows.flatMap(({ from = '00:00', to = '00:00' }) => [from, to])
  const quarters = windows.some(({ zone }) => zone !== undefined) ? [0, 15, 30, 45] : [0]
  return [
    ...new Set(
      ['00:00', ...edges].flatMap((edge) =>
        quarters.map((quarter) => (Number(edge.slice(3)) + quarter) % 60),
      ),
    ),
  ].sort((a, b) => a - b)
}

/** Each hour of the week, once for each combination of offsets. */
const hoursToLookAt = (zones: readonly (string | undefined)[]): number[] => {
  const shifting = zones.filter((zone) => zone !== undefined)
  const seen = new Set<string>()
  const starts: number[] = []
  for (let at = 0; at < (shifting.length === 0 ? 168 : hours); at += 1) {
    const start = monday + at * hour
    const shown = shifting.map((zone) => Object.values(localTimeIn(zone, start)).join(' '))
    const key = [at % 168, ...shown].join()
    if (seen.has(key)) continue
    seen.add(key)
    starts.push(start)
  }
  return starts
}
