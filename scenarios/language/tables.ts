import { actions } from './actions.ts'
import { matchers } from './match.ts'

/** The tables of the README, by the name of their marker. */
export const tables: Readonly<Record<string, () => string>> = {
  actions: () =>
    table(
      ['Action', 'What it does', 'Example'],
      Object.entries(actions).map(([word, { says, example }]) => [
        `\`${word}\``,
        says,
        `\`${example}\``,
      ]),
    ),
  matchers: () =>
    table(
      ['Matcher', 'Matches', 'Example'],
      Object.entries(matchers).map(([word, { says, example }]) => [
        `\`${word}\``,
        says,
        `\`${example}\``,
      ]),
    ),
}

/** The text with regenerated tables, each between `<!-- table: NAME -->` and `<!-- end -->`. */
export const withTables = (text: string): string =>
  text.replaceAll(
    /(<!-- table: (\w+) -->\n)[\s\S]*?(\n<!-- end -->)/g,
    (whole, begin: string, name: string, end: string) =>
      Object.hasOwn(tables, name) ? `${begin}\n${tables[name]?.()}\n${end}` : whole,
  )

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')
