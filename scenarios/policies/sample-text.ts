import { textMatches } from '../../server/issuer/policy/text-pattern.ts'

/**
 * A text that a regular expression matches, found by taking the first option at each choice.
 * @returns undefined when that text does not match; another one may
 */
export const sampleText = (pattern: string): string | undefined => {
  const text = new Sampler(pattern).alternatives()
  return textMatches(pattern, text) ? text : undefined
}

/** Maximum length of a justification. */
const longest = 4096

/** Parses the syntax that JavaScript (flag `u`) and RE2 share, which policies may use. */
class Sampler {
  readonly #chars: readonly string[]
  #at = 0

  constructor(pattern: string) {
    this.#chars = [...pattern]
  }

  /** The first of `a|b|c`. Parses and drops the others. */
  alternatives(): string {
    const first = this.#sequence()
    while (this.#peek() === '|') {
      this.#at += 1
      this.#sequence()
    }
    return first
  }

  #peek(): string {
    return this.#chars[this.#at] ?? ''
  }

  #take(): string {
    const char = this.#peek()
    this.#at += 1
    return char
  }

  #takeWhile(goesOn: (char: string) => boolean): string {
    let taken = ''
    while (this.#at < this.#chars.length && goesOn(this.#peek())) taken += this.#take()
    return taken
  }

  #sequence(): string {
    let text = ''
    while (this.#at < this.#chars.length && this.#peek() !== '|' && this.#peek() !== ')') {
      const atom = this.#atom()
      const times = this.#times()
      if (text.length + atom.length * times <= longest) text += atom.repeat(times)
    }
    return text
  }

  /** The minimum number of repetitions of a quantifier; one without a quantifier. */
  #times(): number {
    const char = this.#peek()
    let least = 1
    if (char === '*' || char === '?') least = 0
    else if (char === '{') least = Number.parseInt(this.#chars.slice(this.#at + 1).join(''), 10)
    else if (char !== '+') return 1
    if (char === '{') this.#takeWhile((it) => it !== '}')
    this.#at += 1
    if (this.#peek() === '?') this.#at += 1
    return least
  }

  #atom(): string {
    const char = this.#take()
    switch (char) {
      case '^':
      case '$':
        return ''
      case '.':
        return 'x'
      case '(':
        return this.#group()
      case '[':
        return charIn(`[${this.#class()}`)
      case '\\':
        return this.#escaped()
      default:
        return char
    }
  }

  #group(): string {
    if (this.#peek() === '?') {
      const head = this.#takeWhile((it) => it !== ':' && it !== '>' && it !== ')')
      if (this.#peek() === ')' && !head.startsWith('?<')) {
        this.#at += 1
        return ''
      }
      this.#at += 1
    }
    const inner = this.alternatives()
    this.#at += 1
    return inner
  }

  #class(): string {
    let text = ''
    while (this.#at < this.#chars.length) {
      const char = this.#take()
      text += char
      if (char === '\\') text += this.#take()
      else if (char === ']') break
    }
    return text
  }

  #escaped(): string {
    const char = this.#take()
    if (char === 'b' || char === 'B') return ''
    const more =
      this.#peek() === '{' && /[pPu]/.test(char)
        ? this.#takeWhile((it) => it !== '}') + this.#take()
        : ''
    const digits = { x: 2, u: 4 }[char] ?? 0
    const hex = more === '' ? Array.from({ length: digits }, () => this.#take()).join('') : ''
    return charIn(`\\${char}${more}${hex}`)
  }
}

const usual = [
  ...'aA1 -_./:#@x\n',
  ...Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)),
]

/** A character of a class or an escape. */
const charIn = (one: string): string => {
  try {
    const expression = new RegExp(`^${one}$`, 'u')
    const found = usual.find((it) => expression.test(it))
    if (found !== undefined) return found
    for (let code = 0; code < 0x3000; code += 1) {
      const char = String.fromCodePoint(code)
      if (expression.test(char)) return char
    }
  } catch {
    // Syntax that this parser does not know has no sample. The caller tests every text.
  }
  return ''
}
