/**
 * Lines no wider than a terminal: broken at spaces, with the indentation of the line and two more
 * columns. Elsewhere, and on a terminal of unknown width, as they are.
 */
export const wrapLines = (
  lines: readonly string[],
  stream: (NodeJS.WritableStream & { isTTY?: boolean; columns?: number }) | undefined,
): string[] => {
  const { isTTY = false, columns = 0 } = stream ?? {}
  return isTTY && columns >= 40 ? lines.flatMap((line) => wrapLine(line, columns)) : [...lines]
}

const wrapLine = (line: string, columns: number): string[] => {
  const [indent = ''] = /^ */.exec(line) ?? []
  const wrapped: string[] = []
  let rest = line
  while (rest.length > columns) {
    const at = rest.lastIndexOf(' ', columns)
    const end = at > indent.length + 2 ? at : columns
    wrapped.push(rest.slice(0, end))
    rest = `${indent}  ${rest.slice(end).trimStart()}`
  }
  return [...wrapped, rest]
}
