/**
 * A request is a value for each of some fields. The values of a field that no condition tells apart are
 * one class, and a set of classes is a `bigint` with a bit for each.
 */

/** What a request has once, or a list of what it has any number of times. */
export type Field = Readonly<{
  name: string
  kind: 'one' | 'list'
  /** How many members a list has at least. */
  min: 0 | 1
  /** Number of classes. Those with low numbers are preferred for examples. */
  size: number
  /** Classes of which a value is known, so that an example can be made. */
  known: bigint
}>

/**
 * A condition on one field. `one`: the value is in the set. Of a list: `any` member is, `every` member of
 * at least one, or `none`.
 */
export type Literal = Readonly<{
  field: number
  mode: 'one' | 'any' | 'every' | 'none'
  set: bigint
}>

/** A conjunction of literals. */
export type Conjunction = readonly Literal[]

/** The classes of an example: of a list field, any number. */
export type Point = readonly (readonly number[])[]

/** `none`: there is no such request. `unknown`: that could not be found out. */
export type Answer = Point | 'none' | 'unknown'

/** Steps of a search after which it is given up. */
const mostSteps = 20_000

/**
 * A request for which a conjunction holds and none of others does. The search is complete: each step
 * takes the first of the others that holds for the request at hand, and makes one of its literals false.
 */
export const findRequest = (
  fields: readonly Field[],
  all: Conjunction,
  none: readonly Conjunction[],
): Answer => {
  // Examples first; what only values can meet that are not known is not sure.
  const known = search(startOf(fields, true), all, none)
  if (known !== 'none' || fields.every(({ known, size }) => known === fullSet(size))) return known
  return search(startOf(fields, false), all, none) === 'none' ? 'none' : 'unknown'
}

/** What is known of a value: its classes, and, of a list, the sets of which it has a member. */
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
      // In what is left this literal is true, so that no request is looked at twice.
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
          : // Every member is in the set, unless there is none, or one is outside.
            [
              { allowed: 0n, required },
              { allowed, required: [...required, outside] },
            ]
  return ways.map((it) => narrow(store, field, it)).filter((it) => it !== undefined)
}

/** The store with another domain; undefined where no value is left. */
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
