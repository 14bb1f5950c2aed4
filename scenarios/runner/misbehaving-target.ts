import type { Session } from '../language/session.ts'
import type { Target } from '../language/target.ts'

/**
 * A target in whose tenants these misbehaviours are on from the beginning. Its tenants have names of
 * their own, so that the same scenario may run several times at once.
 */
export const withMisbehaviours = (target: Target, names: readonly string[]): Target => ({
  ...target,
  open: async (given, how) => {
    const session = await target.open(given, { ...how, tenant: slugOf(how.tenant) })
    try {
      for (const name of names) await switchOn(session, name)
    } catch (error) {
      await session.close()
      throw error
    }
    return session
  },
})

let count = 0

/** The same scenario may be running with another misbehaviour. */
const slugOf = (tenant: string): string => {
  count += 1
  const tail = count.toString(36)
  return `${tenant.slice(0, 62 - tail.length).replace(/-+$/, '')}-${tail}`
}

const switchOn = async ({ urls, controlToken, fetch }: Session, name: string): Promise<void> => {
  const response = await fetch('control')(`${urls.control}/misbehaviours`, {
    method: 'POST',
    headers: { authorization: `Bearer ${controlToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  })
  if (!response.ok) throw new Error(`${name} could not be switched on: ${await response.text()}`)
}
