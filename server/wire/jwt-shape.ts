/** A JWT in a text, and its offset. */
export type Shaped = Readonly<{ at: number; jwt: string }>

/**
 * Finds everything with the shape of a JWT: three parts, or at least `least`. Linear in the length of
 * the text; a single regular expression would be quadratic.
 */
export const jwtsIn = (text: string, least = 3): Shaped[] => {
  const found: Shaped[] = []
  let end = 0
  for (let at = text.indexOf('eyJ'); at >= 0; at = text.indexOf('eyJ', end)) {
    let begin = at
    while (isInRun(text.charCodeAt(begin - 1))) begin -= 1
    end = at
    while (isInRun(text.charCodeAt(end))) end += 1
    found.push(...inRun(text.slice(begin, end), begin, least))
  }
  return found
}

/**
 * Characters of a JWT and of the names around it: letters, digits, `_`, `-` and `.`. False for NaN,
 * which `charCodeAt` returns outside the text.
 */
const isInRun = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x30 && code <= 0x39) ||
  code === 0x2d ||
  code === 0x2e ||
  code === 0x5f

/** Replaces each JWT in the text. */
export const replaceJwts = (text: string, instead: string, least = 3): string => {
  let shown = ''
  let from = 0
  for (const { at, jwt } of jwtsIn(text, least)) {
    shown += text.slice(from, at) + instead
    from = at + jwt.length
  }
  return shown + text.slice(from)
}

const inRun = (run: string, index: number, least: number): Shaped[] => {
  const parts = run.split('.')
  const found: Shaped[] = []
  let at = index
  for (let next = 0; next < parts.length; ) {
    const [part = '', second = ''] = parts.slice(next, next + 2)
    const begins = second === '' ? -1 : part.search(/\beyJ[\w-]/)
    const whole = parts.slice(next, next + 3)
    if (begins < 0 || whole.length < least) {
      at += part.length + 1
      next += 1
      continue
    }
    found.push({ at: at + begins, jwt: whole.join('.').slice(begins) })
    at += whole.join('.').length + 1
    next += whole.length
  }
  return found
}
