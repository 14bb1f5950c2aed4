import { createRequire } from 'node:module'
import type { RE2JS } from 're2js'

/**
 * Whether a text holds what a regular expression describes, in time linear in the text whatever
 * either of them is (RE2). What RE2 cannot read matches nothing.
 */
export const textMatches = (pattern: string, text: string): boolean =>
  compilePattern(pattern)?.matcher(text).find() === true

/** Whether RE2 can read a regular expression at all. */
export const isReadable = (pattern: string): boolean => compilePattern(pattern) !== undefined

/** Kept, since the same few patterns of a policy come again and again. */
const known = new Map<string, RE2JS | undefined>()
const most = 1000

const compilePattern = (pattern: string): RE2JS | undefined => {
  if (!known.has(pattern)) {
    if (known.size >= most) known.clear()
    known.set(pattern, compile(pattern))
  }
  return known.get(pattern)
}

const compile = (pattern: string): RE2JS | undefined => {
  try {
    return engine().compile(pattern)
  } catch {
    return undefined
  }
}

/** Loaded when a policy first has a pattern: few do, and it takes longer than all of a start may. */
const engine = () => (createRequire(import.meta.url)('re2js') as typeof import('re2js')).RE2JS
