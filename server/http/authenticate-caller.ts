import type { Outcome, Routed, Step } from './core.ts'

/** Finds out who calls, in the way of the route's area. A refusal waits for the handler's turn. */
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
