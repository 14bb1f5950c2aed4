import { type Difference, match, type Path, show } from './match.ts'

type Members = Readonly<Record<string, unknown>>

/**
 * The first expected member that is missing in its order, and how the nearest received one differs.
 */
export type Gap = Readonly<{ message: string; at: Path; differences: readonly Difference[] }>

/**
 * Finds the expected members in order, with others allowed between.
 * @param nameBy the member that messages use as name
 * @param at the path of the expected list in the file
 * @returns undefined when all are found
 */
export const findGap = (
  expected: readonly Members[],
  received: readonly Members[],
  nameBy: string,
  at: Path = [],
): Gap | undefined => {
  let from = 0
  for (const [index, member] of expected.entries()) {
    const rest = received.slice(from)
    const found = rest.findIndex((it) => match(member, it).length === 0)
    if (found === -1) {
      const after = index === 0 ? '' : ` after ${show(expected[index - 1]?.[nameBy])}`
      const here = [...at, index]
      const near = rest.find((it) => it[nameBy] === member[nameBy])
      const names = show(
        rest.map((it) => it[nameBy] ?? null),
        2000,
      )
      return {
        message: `${show(member[nameBy] ?? member)} is missing${after}`,
        at: here,
        differences:
          near === undefined
            ? [{ path: `[${index}]`, expected: show(member), received: names, at: here }]
            : match(member, near, String(member[nameBy]), here),
      }
    }
    from += found + 1
  }
  return undefined
}
