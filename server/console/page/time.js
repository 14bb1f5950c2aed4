/** The tenant's clock as this page knows it: what the server said, and what has passed since. */
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

/** @returns `4 min 09 s`, or `0 s` for what is over */
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
