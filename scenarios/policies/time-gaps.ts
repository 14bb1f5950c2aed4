import { isWithinHours, localTimeIn } from '../../server/issuer/policy/time-window.ts'
import type { Policy, TimeWindow } from '../../server/wire/index.ts'

/** A time that no window covers. */
export type Gap = Readonly<{
  /** Indexes of the rules with the windows. */
  rules: readonly number[]
  /** Such as `fri 18:00`, in the local time of their zone. */
  from: string
  to: string
  /** A moment in the gap. */
  at: string
}>

const week = 7 * 24 * 60
/** Monday 23 November 2026 in UTC. */
const monday = Date.UTC(2026, 10, 23) / 1000

/**
 * Gaps between the windows of rules that differ in nothing else. Ignores windows that together cover less
 * than half of the week: they are not meant to cover it.
 */
export const findGaps = ({ rules }: Policy): Gap[] => {
  const alike = Map.groupBy(rules.keys(), (index) => {
    const { time: _, outside: __, ...rest } = rules[index]?.when ?? {}
    // The order of conditions and patterns has no meaning.
    const sorted = Object.entries(rest).map(([name, it]) => [
      name,
      Array.isArray(it) ? it.toSorted() : it,
    ])
    return JSON.stringify(sorted.sort())
  })
  return [...alike.values()].flatMap((group) => {
    const windows = group.flatMap((it) => {
      const { time, outside } = rules[it]?.when ?? {}
      return [time, outside].filter((window) => window !== undefined)
    })
    const zones = new Set(windows.map(({ zone }) => zone))
    // A rule without a window covers the whole week. Windows of two zones are not compared.
    const isWhole = group.some((it) => !rules[it]?.when.time && !rules[it]?.when.outside)
    if (isWhole || group.length < 2 || zones.size !== 1) return []
    const covers = (minute: number) =>
      group.some((it) => {
        const { time, outside } = rules[it]?.when ?? {}
        return (
          (time === undefined || isIn(time, minute)) &&
          (outside === undefined || !isIn(outside, minute))
        )
      })
    const [zone] = zones
    return gapsIn(covers).map(([from, to]) => ({
      rules: group,
      from: timeText(from),
      to: timeText(to),
      at: momentAt(zone, from),
    }))
  })
}

const isIn = (window: TimeWindow, minute: number): boolean =>
  isWithinHours(window, { day: Math.floor(minute / 1440), time: clockText(minute % 1440) })

/** Each uncovered part of the week; only the first of parts that repeat daily. */
const gapsIn = (covers: (minute: number) => boolean): [number, number][] => {
  const covered = Array.from({ length: week }, (_, minute) => covers(minute))
  if (covered.filter((it) => it).length * 2 <= week) return []
  const found: [number, number][] = []
  for (let at = 0; at < week; at += 1) {
    // Monday first.
    const minute = (at + 1440) % week
    const isFirst = !covered[minute] && covered[(minute + week - 1) % week] === true
    if (!isFirst) continue
    let to = minute
    while (!covered[to % week]) to += 1
    found.push([minute, to % week])
  }
  const seen = new Set<string>()
  return found.filter(([from, to]) => {
    const key = `${from % 1440} ${to % 1440}`
    return !seen.has(key) && seen.add(key)
  })
}

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

const clockText = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

const timeText = (minute: number) =>
  `${days[Math.floor(minute / 1440)]} ${clockText(minute % 1440)}`

/** A moment with a local time in a zone. */
const momentAt = (zone: string | undefined, minute: number): string => {
  for (let at = monday; at < monday + 9 * 86_400; at += 60) {
    const { day, time } = localTimeIn(zone, at)
    if (day * 1440 + Number(time.slice(0, 2)) * 60 + Number(time.slice(3)) === minute) {
      return new Date(at * 1000).toISOString().replace('.000Z', 'Z')
    }
  }
  return new Date(monday * 1000).toISOString()
}
