/** Texts that match the same patterns of a set, represented by the shortest of them. */
export type TextClass = Readonly<{
  text: string
  /** Indexes of the patterns that match. */
  matches: ReadonlySet<number>
}>

/** Maximum number of places that are visited to enumerate the classes of all fields together. */
export const mostWork = 5_000_000

/**
 * All classes of texts that the patterns distinguish (`*` matches any characters), each with its shortest
 * text. Visits the automaton of all patterns breadth first, so it misses no class.
 * @param most maximum number of places that are visited
 * @returns undefined when there are too many to enumerate
 */
export const textClasses = (
  patterns: readonly string[],
  { min, max, most = mostWork }: Readonly<{ min: number; max: number; most?: number }>,
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
        if (work > most) return undefined
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
  /** The number of the first place of each pattern. */
  readonly #first: number[] = []
  readonly #patternOf: number[] = []
  /** The symbol that each place expects; undefined at the end of a pattern. */
  readonly #symbolAt: (string | undefined)[] = []

  constructor(patterns: readonly string[]) {
    for (const [index, pattern] of patterns.entries()) {
      this.#first.push(this.#symbolAt.length)
      // A character outside the basic plane is one symbol.
      for (const symbol of [...pattern.replaceAll(/\*+/g, '*'), undefined]) {
        this.#symbolAt.push(symbol)
        this.#patternOf.push(index)
      }
    }
  }

  start(): State {
    return this.#stateOf(this.#first)
  }

  /** One character per behaviour: one that no place expects, and each that some place expects. */
  charsOf({ places }: State): string[] {
    const awaited = new Set(places.flatMap((place) => this.#symbolAt[place] ?? []))
    awaited.delete('*')
    return [otherThan(awaited), ...awaited]
  }

  step({ places }: State, char: string): State {
    const reached: number[] = []
    for (const place of places) {
      const symbol = this.#symbolAt[place]
      if (symbol === '*') reached.push(place)
      else if (symbol === char) reached.push(place + 1)
    }
    return this.#stateOf(reached)
  }

  /**
   * A place before a star also leads to the place after it. Places before a reached star are left out,
   * because the star accepts the same texts.
   * @param reached in ascending order, so that the places of a pattern stand together
   */
  #stateOf(reached: readonly number[]): State {
    const places: number[] = []
    let pattern: number | undefined
    /** The index of the first place of the pattern. */
    let begin = 0
    let last = -1
    for (const place of reached) {
      if (place <= last) continue
      if (this.#patternOf[place] !== pattern) {
        pattern = this.#patternOf[place]
        begin = places.length
      }
      last = place
      if (this.#symbolAt[place] === '*') {
        places.length = begin
        places.push(place)
        last = place + 1
      }
      places.push(last)
    }
    return {
      places,
      key: places.join(),
      accepts: places.flatMap((place) =>
        this.#symbolAt[place] === undefined ? [this.#patternOf[place] as number] : [],
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
