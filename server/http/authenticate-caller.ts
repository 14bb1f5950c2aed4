import { outcomeOf, type Routed, type Step } from './core.ts'

/** Finds out who calls, in the way of the route's area. A refusal waits for the handler's turn. */
export const authenticate: Step<Routed> = async (routed, next) => {
  const { area, changeContext } = routed
  const real = async () => area.authenticate(routed as never)
  const authentication = await outcomeOf(() => (changeContext ? changeContext(real) : real()))
  return next({ ...routed, authentication })
}
