import { UsageError } from '../../../server/usage-error.ts'
import { didYouMean } from '../../../server/wire/closest.ts'

const seats: Readonly<Record<string, () => Promise<(args: string[]) => Promise<number>>>> = {
  issuer: async () => (await import('./issuer.ts')).checkIssuer,
  api: async () => (await import('./api.ts')).checkApi,
  agent: async () => (await import('./agent.ts')).checkAgent,
}

const help = `Checks something that is not ours; we take the other two seats.

Usage: lumoauth-harness check issuer [OPTIONS]          a LumoAuth deployment, or any OAuth server
       lumoauth-harness check api [OPTIONS]             your API: does it challenge, verify and refuse?
       lumoauth-harness check agent [OPTIONS] -- CMD    your agent: does it ask for the least?

Exit code: 0 all is well, 1 something is not, 2 could not run.

lumoauth-harness check SEAT --help says more, with an example.
`

/** `lumoauth-harness check`. @returns the exit code */
export const check = async ([seat, ...args]: string[]): Promise<number> => {
  if (seat === undefined || seat === '--help' || seat === '-h') {
    process.stdout.write(help)
    return seat === undefined ? 2 : 0
  }
  const load = Object.hasOwn(seats, seat) ? seats[seat] : undefined
  if (load === undefined) {
    const names = Object.keys(seats)
    throw new UsageError(
      `unknown seat "${seat}"${didYouMean(seat, names) || `; seats are ${names.join(', ')}`}`,
    )
  }
  return (await load())(args)
}
