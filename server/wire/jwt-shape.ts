/** A JWT in a text, and where it begins. */
export type Shaped = Readonly<{ at: number; jwt: string }>

/**
 * Whatever has the shape of a JWT: three parts, or as few as `least`. It takes time that grows with
 * the text only; one regular expression would begin anew at every place a JWT might begin.
 */
export const jwtsIn = (text: string, least = 3): Shaped[] =>
  [...text.matchAll(/[\w.-]+/g)].flatMap(({ 0: run, index }) =>
    run.includes('eyJ') ? inRun(run, index, least) : [],
  )

/** The text with something else instead of each JWT. */
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
