import { createRequire } from 'node:module'
import type { RE2JS } from 're2js'

/**
 * Whether a text contains a match of a regular expression, in linear time (RE2). A pattern that RE2
 * cannot compile matches nothing.
 */
export const textMatches = (pattern: string, text: string): boolean =>
  compilePattern(pattern)?.matcher(text).find() === true

/** Whether RE2 can compile a regular expression. */
export const isReadable = (pattern: string): boolean => compilePattern(pattern) !== undefined

/** Cache of compiled patterns: policies use the same few repeatedly. */
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

/**
 * Loaded with the first pattern of a policy: few policies have one, and loading takes longer than a
 * whole start may.
 */
const engine = () => (createRequire(import.meta.url)('re2js') as typeof import('re2js')).RE2JS
