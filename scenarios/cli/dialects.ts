import { Dialect, dialects as switches } from '../../server/wire/dialect.ts'
import { readOptions } from './options.ts'
import { painter } from './paint.ts'

const help = `Lists the dialect switches: named choices where LumoAuth's own sources disagree, or a draft differs.

Usage: lumoauth-harness dialects [TEXT…]

TEXT is part of a name, a value or a sentence; several: all of them. The first value is the default.

Set one in a configuration, by the control plane, or in a scenario:
  given: { dialect: { challenge: wg-00 } }

Example: lumoauth-harness dialects challenge
`

/** `lumoauth-harness dialects`. @returns the exit code */
export const dialects = async (args: string[]): Promise<number> => {
  const { values, positionals } = readOptions(args, { help: { type: 'boolean', short: 'h' } })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const paint = painter(process.stdout)
  const chosen = all().filter(({ name, says, imitates, choices }) =>
    positionals.every((text) =>
      [name, says, imitates, ...choices].some((it) =>
        it.toLowerCase().includes(text.toLowerCase()),
      ),
    ),
  )
  for (const { name, says, imitates, choices, row } of chosen) {
    process.stdout.write(
      [
        `${paint('bold', name)}: ${choices.join(' | ')}`,
        `  ${says}`,
        `  ${paint('dim', `${imitates}${row === undefined ? '' : ` (contract §7 row ${row})`}`)}`,
        '',
        '',
      ].join('\n'),
    )
  }
  process.stdout.write(`${chosen.length} switches\n`)
  return 0
}

const all = () =>
  (Object.keys(switches) as (keyof Dialect)[]).map((name) => {
    const schema = Dialect.shape[name]
    const first = schema.parse(undefined)
    const others = schema.unwrap().options.filter((it) => it !== first)
    return { name, ...switches[name], choices: [first, ...others] }
  })
