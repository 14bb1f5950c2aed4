import { painter } from '../reports/paint.ts'
import { listMisbehaviours } from '../targets/mock/mock.ts'

const headings = { network: 'The network', issuer: 'The issuer', api: 'The resource server' }

/** `lumoauth-harness misbehaviours`. @returns the exit code */
export const misbehaviours = async (texts: readonly string[]): Promise<number> => {
  const paint = painter(process.stdout)
  const known = (await listMisbehaviours()).filter(({ name, says, breaks, routes = [] }) =>
    texts.every((text) =>
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
