/** The tenant's clock: the last time from the server, plus the time since then. */
export const createClock = () => {
  let said = { now: 0, running: false, at: 0 }
  return {
    hear: ({ now, running }) => {
      said = { now, running, at: performance.now() }
    },
    get running() {
      return said.running
    },
    now: () => said.now + (said.running ? (performance.now() - said.at) / 1000 : 0),
  }
}

/**
 * Reads `90 min`, `2h`, `1 h 30 min`, `45` (seconds) and `PT15M`.
 * @returns seconds. Undefined for text that is not a duration
 */
export const readDuration = (text) => {
  const plain = text
    .trim()
    .toLowerCase()
    .replace(/^pt(?=\d)/, '')
  if (/^\d+$/.test(plain)) return Number(plain)
  const parts = [...plain.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)\s*/g)]
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== plain) return undefined
  const seconds = parts.reduce(
    (sum, [, many, unit]) => sum + many * (unitOf(unit) ?? Number.NaN),
    0,
  )
  return Number.isNaN(seconds) ? undefined : Math.round(seconds)
}

const units = [
  [/^d(ays?)?$/, 86_400],
  [/^h(rs?|ours?)?$/, 3600],
  [/^m(ins?|inutes?)?$/, 60],
  [/^s(ecs?|econds?)?$/, 1],
]

const unitOf = (name) => units.find(([pattern]) => pattern.test(name))?.[1]

/** @returns `4 min 09 s`; `0 s` for a time in the past */
export const duration = (seconds) => {
  const left = Math.max(0, Math.round(seconds))
  if (left < 60) return `${left} s`
  const [hours, minutes, rest] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60]
  if (hours > 0) return minutes === 0 ? `${hours} h` : `${hours} h ${two(minutes)} min`
  return rest === 0 ? `${minutes} min` : `${minutes} min ${two(rest)} s`
}

/** @returns `12:03:04`, in UTC as policies read it */
export const timeOfDay = (epoch) => new Date(Math.floor(epoch) * 1000).toISOString().slice(11, 19)

export const dateAndTime = (epoch) =>
  new Date(Math.floor(epoch) * 1000).toISOString().replace('T', ' ').replace('.000Z', ' UTC')

const two = (number) => String(number).padStart(2, '0')
