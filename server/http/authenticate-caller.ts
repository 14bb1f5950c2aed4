import type { Outcome, Routed, Step } from './core.ts'

/**
 * Authenticates the caller as the route's area defines it. `handle` throws an authentication error
 * later.
 */
export const authenticate: Step<Routed> = async (routed, next) => {
  const { area, changeContext } = routed
  const real = async () => area.authenticate(routed as never)
  return next({
    ...routed,
    authentication: await outcomeOf(() => (changeContext ? changeContext(real) : real())),
  })
}

const outcomeOf = async (getContext: () => object | Promise<object>): Promise<Outcome<object>> => {
  try {
    return { value: await getContext() }
  } catch (thrown) {
    return { thrown }
  }
}
