import { Dialect, dialects as switches } from '../../server/wire/dialect.ts'
import { painter } from '../reports/paint.ts'

/** `lumoauth-harness dialects`. @returns the exit code */
export const dialects = async (texts: readonly string[]): Promise<number> => {
  const paint = painter(process.stdout)
  const chosen = all().filter(({ name, says, imitates, choices }) =>
    texts.every((text) =>
      [name, says, imitates, ...choices].some((it) =>
        it.toLowerCase().includes(text.toLowerCase()),
      ),
    ),
  )
  for (const { name, says, imitates, choices, source } of chosen) {
    process.stdout.write(
      [
        `${paint('bold', name)}: ${choices.join(' | ')}`,
        `  ${says}`,
        `  ${paint('dim', imitates)}\n  ${paint('dim', source)}`,
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
