/** Texts that match the same patterns of a set, represented by the shortest of them. */
export type TextClass = Readonly<{
  text: string
  /** Indexes of the patterns that match. */
  matches: ReadonlySet<number>
}>

/** Maximum number of states that are visited to enumerate the classes. */
const mostWork = 5_000_000

/**
 * All classes of texts that the patterns distinguish (`*` matches any characters), each with its shortest
 * text. Visits the automaton of all patterns breadth first, so it misses no class.
 * @returns undefined when there are too many to enumerate
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

/** The places in all patterns after the characters read so far. */
type State = Readonly<{ places: readonly number[]; key: string; accepts: readonly number[] }>

/** The patterns as one automaton. A place is a pattern and the number of symbols read. */
class Nfa {
  readonly #symbols: readonly (readonly string[])[]
  /** The number of the first place of each pattern. */
  readonly #first: readonly number[]
  readonly #patternOf: readonly number[]

  constructor(patterns: readonly string[]) {
    // A character outside the basic plane is one symbol.
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

  /** One character per behaviour: one that no place expects, and each that some place expects. */
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
   * A place before a star also leads to the place after it. Places before a reached star are left out,
   * because the star accepts the same texts.
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

/** A character outside a set, a common one if possible. */
const otherThan = (chars: ReadonlySet<string>): string => {
  const found = usual.find((it) => !chars.has(it))
  if (found !== undefined) return found
  let code = 0x100
  while (chars.has(String.fromCodePoint(code))) code += 1
  return String.fromCodePoint(code)
}
