import { match, type Path, show } from './match.ts'
import { ExpectationFailed } from './step-context.ts'

/** Demands that the expected members occur in this order, whatever stands between them. */
export const subsequence = (
  expected: readonly Readonly<Record<string, unknown>>[],
  received: readonly Readonly<Record<string, unknown>>[],
  nameBy: string,
  at: Path,
): void => {
  let from = 0
  for (const [index, member] of expected.entries()) {
    const found = received.findIndex((it, i) => i >= from && match(member, it).length === 0)
    if (found === -1) {
      const after = index === 0 ? '' : ` after ${show(expected[index - 1]?.[nameBy])}`
      const names = (from: number) =>
        show(
          received.slice(from).map((it) => it[nameBy] ?? null),
          2000,
        )
      const near = received.find((it, i) => i >= from && it[nameBy] === member[nameBy])
      throw new ExpectationFailed(
        `${show(member[nameBy] ?? member)} is not there${after}`,
        [...at, index],
        near === undefined
          ? [
              {
                path: `[${index}]`,
                expected: show(member),
                received: names(from),
                at: [...at, index],
              },
            ]
          : match(member, near, String(member[nameBy]), [...at, index]),
      )
    }
    from = found + 1
  }
}
