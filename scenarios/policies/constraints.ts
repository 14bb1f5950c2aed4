/**
 * A request has a value for each field. Values that every condition treats alike form a class. A set of
 * classes is a `bigint` with one bit per class.
 */

/** A field of a request: one value, or a list of values. */
export type Field = Readonly<{
  name: string
  kind: 'one' | 'list'
  /** Minimum number of members of a list. */
  min: 0 | 1
  /** Number of classes. Those with low numbers are preferred for examples. */
  size: number
  /** Classes with a known value, of which an example can be built. */
  known: bigint
}>

/**
 * A condition on one field. `one`: the value is in the set. For a list, `any`: at least one member is in
 * the set; `every`: the list is not empty, and all members are; `none`: no member is.
 */
export type Literal = Readonly<{
  field: number
  mode: 'one' | 'any' | 'every' | 'none'
  set: bigint
}>

/** A conjunction of literals. */
export type Conjunction = readonly Literal[]

/** The classes of an example, per field; a list field has any number of them. */
export type Point = readonly (readonly number[])[]

/** `none`: no such request exists. `unknown`: the search did not finish. */
export type Answer = Point | 'none' | 'unknown'

/** Maximum number of steps of a search. */
const mostSteps = 20_000

/**
 * Finds a request for which one conjunction holds and all the others fail. The search is complete: each
 * step takes the first other conjunction that holds, and makes one of its literals false.
 */
export const findRequest = (
  fields: readonly Field[],
  all: Conjunction,
  none: readonly Conjunction[],
): Answer => {
  // Search the known values first. A request with unknown values only is no proof.
  const known = search(startOf(fields, true), all, none)
  if (known !== 'none' || fields.every(({ known, size }) => known === fullSet(size))) return known
  return search(startOf(fields, false), all, none) === 'none' ? 'none' : 'unknown'
}

/** The possible classes of a value; for a list, also the sets in which it must have a member. */
type Domain = Readonly<{ allowed: bigint; required?: readonly bigint[] }>
type Store = readonly Domain[]

const startOf = (fields: readonly Field[], onlyKnown: boolean): Store =>
  fields.map(({ size, known, min, kind }) => {
    const allowed = onlyKnown ? known : fullSet(size)
    if (kind === 'one') return { allowed }
    return { allowed, required: min > 0 ? [allowed] : [] }
  })

const search = (start: Store, all: Conjunction, none: readonly Conjunction[]): Answer => {
  let steps = 0
  const visit = (store: Store): Answer => {
    steps += 1
    if (steps > mostSteps) return 'unknown'
    const point = pointOf(store)
    const violated = none.find((it) => it.every((literal) => holdsAt(literal, point)))
    if (violated === undefined) return point
    let rest: Store | undefined = store
    for (const literal of violated) {
      if (rest === undefined) return 'none'
      for (const narrower of withFalse(rest, literal)) {
        const found = visit(narrower)
        if (found !== 'none') return found
      }
      // This literal is true in the rest, so no request is visited twice.
      rest = withTrue(rest, literal)
    }
    return 'none'
  }
  const begun = all.reduce<Store | undefined>(
    (store, literal) => store && withTrue(store, literal),
    start,
  )
  return begun === undefined ? 'none' : visit(begun)
}

/** The preferred values: the class with the lowest number, and no more members than are required. */
const pointOf = (store: Store): Point =>
  store.map(({ allowed, required }) => {
    if (required === undefined) return [lowest(allowed)]
    const members: number[] = []
    for (const set of required) {
      if (!members.some((it) => has(set, it))) members.push(lowest(set & allowed))
    }
    return members
  })

const holdsAt = ({ field, mode, set }: Literal, point: Point): boolean => {
  const members = point[field] as readonly number[]
  if (mode === 'any') return members.some((it) => has(set, it))
  if (mode === 'none') return !members.some((it) => has(set, it))
  return members.length > 0 && members.every((it) => has(set, it))
}

const withTrue = (store: Store, { field, mode, set }: Literal): Store | undefined => {
  const { allowed, required } = store[field] as Domain
  if (required === undefined) return narrow(store, field, { allowed: allowed & set })
  if (mode === 'none') return narrow(store, field, { allowed: allowed & ~set, required })
  return narrow(store, field, {
    allowed: mode === 'every' ? allowed & set : allowed,
    required: [...required, set],
  })
}

/** The ways to make a literal false. */
const withFalse = (store: Store, { field, mode, set }: Literal): Store[] => {
  const { allowed, required } = store[field] as Domain
  const outside = allowed & ~set
  const ways: Domain[] =
    required === undefined
      ? [{ allowed: outside }]
      : mode === 'any'
        ? [{ allowed: outside, required }]
        : mode === 'none'
          ? [{ allowed, required: [...required, set] }]
          : // `every` fails for an empty list, and for a list with a member outside the set.
            [
              { allowed: 0n, required },
              { allowed, required: [...required, outside] },
            ]
  return ways.map((it) => narrow(store, field, it)).filter((it) => it !== undefined)
}

/** The store with another domain. Undefined when no value is left. */
const narrow = (store: Store, field: number, domain: Domain): Store | undefined => {
  const { allowed, required } = domain
  const isEmpty =
    required === undefined ? allowed === 0n : required.some((set) => (set & allowed) === 0n)
  return isEmpty ? undefined : store.with(field, domain)
}

/** The set of all classes. */
export const fullSet = (size: number): bigint => (1n << BigInt(size)) - 1n

/** The set of the classes that meet a condition. */
export const setOf = (size: number, isIn: (index: number) => boolean): bigint => {
  let set = 0n
  for (let index = 0; index < size; index += 1) if (isIn(index)) set |= bit(index)
  return set
}

const bits: bigint[] = []
const bit = (index: number): bigint => {
  bits[index] ??= 1n << BigInt(index)
  return bits[index]
}

const has = (set: bigint, index: number): boolean => (set & bit(index)) !== 0n

const lowest = (set: bigint): number => {
  const digits = (set & -set).toString(16)
  return (digits.length - 1) * 4 + Math.log2(Number.parseInt(digits.charAt(0), 16))
}
