/** Texts that no pattern of a set tells apart, by the shortest of them. */
export type TextClass = Readonly<{
  text: string
  /** Indexes of the patterns that match. */
  matches: ReadonlySet<number>
}>

/** Places looked at, beyond which the classes of a set of patterns are not enumerated. */
const mostWork = 5_000_000

/**
 * All classes of texts that patterns (`*` is any run of characters) tell apart, each with its shortest
 * text. The automaton of all patterns is walked breadth first, so no class is missed.
 * @returns undefined where there are too many to enumerate
 */
export const textClasses = (
  patterns: readonly string[],
  { min, max }: Readonly<{ min: number; max: number }>,
): TextClass[] | undefined => {
  const nfa = new Nfa(patterns)
  const found = new Map<string, TextClass>()
  const note = (state: State, text: string, length: number) => {
    if (length < min || found.has(state.accepts.join())) return
    found.set(state.accepts.join(), { text, matches: new Set(state.accepts) })
  }
  const start = nfa.start()
  note(start, '', 0)
  const seen = new Set([start.key])
  let work = 0
  let layer: { state: State; text: string }[] = [{ state: start, text: '' }]
  for (let length = 1; layer.length > 0 && length <= max; length += 1) {
    const next: typeof layer = []
    for (const { state, text } of layer) {
      for (const char of nfa.charsOf(state)) {
        const after = nfa.step(state, char)
        work += state.places.length + after.places.length
        if (work > mostWork) return undefined
        const longer = text + char
        note(after, longer, length)
        if (seen.has(after.key)) continue
        seen.add(after.key)
        next.push({ state: after, text: longer })
      }
    }
    layer = next
  }
  return [...found.values()]
}

/** The places that a text read so far leads to, in all patterns at once. */
type State = Readonly<{ places: readonly number[]; key: string; accepts: readonly number[] }>

/** The patterns as one automaton: a place is a pattern and the number of its symbols that are read. */
class Nfa {
  readonly #symbols: readonly (readonly string[])[]
  /** The number of the first place of each pattern. */
  readonly #first: readonly number[]
  readonly #patternOf: readonly number[]

  constructor(patterns: readonly string[]) {
    // Characters beyond the basic plane are one symbol.
    this.#symbols = patterns.map((it) => [...it.replaceAll(/\*+/g, '*')])
    const first: number[] = []
    const patternOf: number[] = []
    for (const [pattern, symbols] of this.#symbols.entries()) {
      first.push(patternOf.length)
      for (let at = 0; at <= symbols.length; at += 1) patternOf.push(pattern)
    }
    this.#first = first
    this.#patternOf = patternOf
  }

  start(): State {
    return this.#stateOf(this.#symbols.map((_, pattern) => this.#first[pattern] as number))
  }

  /** A character for each behaviour: one that no place waits for, and those that one does. */
  charsOf({ places }: State): string[] {
    const awaited = new Set(places.flatMap((place) => this.#symbolAt(place) ?? []))
    awaited.delete('*')
    return [otherThan(awaited), ...awaited]
  }

  step({ places }: State, char: string): State {
    return this.#stateOf(
      places.flatMap((place) => {
        const symbol = this.#symbolAt(place)
        if (symbol === '*') return [place]
        return symbol === char ? [place + 1] : []
      }),
    )
  }

  #symbolAt(place: number): string | undefined {
    const pattern = this.#patternOf[place] as number
    return this.#symbols[pattern]?.[place - (this.#first[pattern] as number)]
  }

  /**
   * A place before a star leads on behind it, too. Places before a star that is reached are left out:
   * what they would accept, the star accepts.
   */
  #stateOf(reached: readonly number[]): State {
    const closed = new Set<number>()
    const star = new Map<number, number>()
    for (const place of reached) {
      closed.add(place)
      if (this.#symbolAt(place) !== '*') continue
      closed.add(place + 1)
      const pattern = this.#patternOf[place] as number
      star.set(pattern, Math.max(star.get(pattern) ?? 0, place))
    }
    const places = [...closed]
      .filter((place) => place >= (star.get(this.#patternOf[place] as number) ?? 0))
      .sort((a, b) => a - b)
    return {
      places,
      key: places.join(),
      accepts: places.flatMap((place) =>
        this.#symbolAt(place) === undefined ? [this.#patternOf[place] as number] : [],
      ),
    }
  }
}

const usual = [...'xyzabcdefghijklmnopqrstuvw0123456789']

/** A character that is not in a set: a usual one if possible. */
const otherThan = (chars: ReadonlySet<string>): string => {
  const found = usual.find((it) => !chars.has(it))
  if (found !== undefined) return found
  let code = 0x100
  while (chars.has(String.fromCodePoint(code))) code += 1
  return String.fromCodePoint(code)
}
