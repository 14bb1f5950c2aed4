import { listMisbehaviours } from '../targets/mock/mock.ts'
import { readOptions } from './options.ts'
import { painter } from './paint.ts'

const help = `Lists the misbehaviours that a seat, or the network before it, can be told to have.

Usage: lumoauth-harness misbehaviours [TEXT…]

TEXT is part of a name, a sentence, a route or the id of the rule it breaks; several: all of them.

Switch one on with start --misbehave NAME, in a configuration, by the control plane, or in a scenario:
  - misbehave: { name: issuer-exchanges-twice }

Example: lumoauth-harness misbehaviours revo
`

const headings = { network: 'The network', issuer: 'The issuer', api: 'The resource server' }

/** `lumoauth-harness misbehaviours`. @returns the exit code */
export const misbehaviours = async (args: string[]): Promise<number> => {
  const { values, positionals } = readOptions(args, { help: { type: 'boolean', short: 'h' } })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const paint = painter(process.stdout)
  const known = (await listMisbehaviours()).filter(({ name, says, breaks, routes = [] }) =>
    positionals.every((text) =>
      [name, says, breaks, ...routes].some((it) => it.toLowerCase().includes(text.toLowerCase())),
    ),
  )
  for (const [seat, ofSeat] of Map.groupBy(known, (it) => it.seat)) {
    process.stdout.write(`${paint('bold', headings[seat])}\n`)
    for (const { name, says, breaks, routes } of ofSeat) {
      const where = routes === undefined ? '' : ` at ${routes.join(', ')}`
      process.stdout.write(
        `  ${name.padEnd(36)}${says}\n${' '.repeat(38)}${paint('dim', `breaks ${breaks}${where}`)}\n`,
      )
    }
    process.stdout.write('\n')
  }
  process.stdout.write(`${known.length} misbehaviours\n`)
  return 0
}
