/** The candidate nearest to a misspelt word; undefined when none is near enough. */
export const closest = (word: string, candidates: Iterable<string>): string | undefined => {
  const near = [...candidates]
    .map((candidate) => ({
      candidate,
      distance: distance(word.toLowerCase(), candidate.toLowerCase()),
    }))
    .filter((it) => it.distance <= Math.max(1, Math.floor(word.length / 3)))
  return near.sort((a, b) => a.distance - b.distance)[0]?.candidate
}

/** `; did you mean "x"?`, or an empty text. */
export const didYouMean = (word: string, candidates: Iterable<string>): string => {
  const candidate = closest(word, candidates)
  return candidate === undefined ? '' : `; did you mean "${candidate}"?`
}

/** The number of single-character edits and swaps of neighbours between two words. */
const distance = (a: string, b: string): number => {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      // An index before the first letter gives undefined, which equals no letter.
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        at(rows, i - 1, j) + 1,
        (row[j - 1] ?? 0) + 1,
        at(rows, i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        swapped ? at(rows, i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    rows.push(row)
  }
  return at(rows, a.length, b.length)
}

const at = (rows: number[][], i: number, j: number): number => rows[i]?.[j] ?? 0
