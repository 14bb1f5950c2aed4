import { z } from 'zod'
import { ExpectationFailed } from './step-context.ts'
import { partOf, segments } from './variables.ts'

/** The source of a variable: a path in the answer, or a part of the text at that path. */
export const Saved = z.union([
  z.string().min(1),
  z.strictObject({
    from: z.string().min(1),
    /** The first group of the regular expression is the value. */
    matches: z.string().refine(hasGroup, { error: 'expected a regular expression with a group' }),
  }),
])
export type Saved = z.infer<typeof Saved>

/** The source as a path, whichever form it has. */
export const placeOfSaved = (from: unknown): readonly string[] =>
  segments(String(typeof from === 'object' && from !== null && 'from' in from ? from.from : from))

/** @throws {ExpectationFailed} where there is nothing to save */
export const resolveSaved = (name: string, from: Saved, view: unknown): unknown => {
  const value = partOf(view, placeOfSaved(from))
  const { from: place, matches } = typeof from === 'string' ? { from, matches: undefined } : from
  if (value === undefined) {
    throw new ExpectationFailed(`nothing to save: the answer has no ${place}`, ['save', name])
  }
  if (matches === undefined) return value
  const [, part] = new RegExp(matches, 'u').exec(String(value)) ?? []
  if (part === undefined) {
    throw new ExpectationFailed(`nothing to save: ${place} does not match /${matches}/`, [
      'save',
      name,
    ])
  }
  return part
}

function hasGroup(pattern: string): boolean {
  try {
    return (new RegExp(`${pattern}|`, 'u').exec('') ?? []).length > 1
  } catch {
    return false
  }
}
