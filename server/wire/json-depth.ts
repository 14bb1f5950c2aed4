/** Levels of objects and lists in any JSON that is read; what is deeper overflows whatever recurses over it. */
export const deepestJson = 64

/** Whether JSON text is nested deeper than that. Takes time that grows with the text only. */
export const isTooDeep = (json: string, levels: number = deepestJson): boolean => {
  let depth = 0
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === '[' || token === '{') depth += 1
    else if (token === ']' || token === '}') depth -= 1
    if (depth > levels) return true
  }
  return false
}
