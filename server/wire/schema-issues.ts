import { z } from 'zod'
import { didYouMean } from './closest.ts'

export type Issue = z.core.$ZodIssue

/**
 * The issues of a schema with unions resolved: the branch with the deepest issues, then with the
 * fewest, is most likely the intended one. A union with its own message keeps it.
 */
export const withoutUnions = (issues: readonly Issue[]): Issue[] =>
  issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union' || hasOwnWords(issue)) return [issue]
    const branch = nearest(issue.errors)
    return branch === undefined
      ? [issue]
      : withoutUnions(branch).map((it): Issue => ({ ...it, path: [...issue.path, ...it.path] }))
  })

/** A schema gave the message; otherwise zod's locale writes the same one again. */
const hasOwnWords = (issue: Issue): boolean => {
  const { localeError } = z.config()
  const usual = localeError?.(issue as z.core.$ZodRawIssue)
  return issue.message !== (typeof usual === 'object' ? usual?.message : usual)
}

const nearest = (branches: readonly (readonly Issue[])[]) =>
  branches
    .map((issues) => ({ issues, depth: Math.max(...issues.map(depthOf)) }))
    .sort((a, b) => b.depth - a.depth || a.issues.length - b.issues.length)[0]?.issues

const depthOf = ({ path, code }: Issue): number =>
  path.length + (code === 'unrecognized_keys' ? 1 : 0)

/**
 * What is wrong with a value that a program gave, one line a problem, such as
 * `agents.0: unknown key "capabilites"; did you mean "capabilities"?`. Values are left out: they may be secrets.
 */
export const describeProblems = (schema: z.ZodType, error: z.ZodError): string[] =>
  withoutUnions(error.issues).flatMap((issue) => {
    const where = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `
    if (issue.code !== 'unrecognized_keys') return [`${where}${messageOf(issue)}`]
    return issue.keys.map((key) => `${where}${describeUnknownKey(key, keysAt(schema, issue.path))}`)
  })

/** `unknown key "x"`, and the key that was probably meant, or those there are. */
export const describeUnknownKey = (key: string, known: readonly string[]): string => {
  const hint = didYouMean(key, known) || (known.length > 0 ? `; expected ${known.join(', ')}` : '')
  return `unknown key "${key}"${hint}`
}

/** A value as a schema reads it. @throws {TypeError} one line a problem; `what` says where */
export const parseOption = <S extends z.ZodType>(
  what: string,
  schema: S,
  value: unknown,
): z.output<S> => {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = describeProblems(schema, parsed.error)
  throw new TypeError(problems.map((it) => `${what}: ${it}`).join('\n'))
}

/** zod's own message in the form of all others: `expected …, received …`. */
const messageOf = ({ message }: Issue): string => message.replace(/^Invalid input: /, '')

/** The keys that a schema allows at a path. */
export const keysAt = (schema: unknown, path: readonly PropertyKey[]): string[] => {
  const { def } = schema as { def?: Record<string, unknown> }
  if (def === undefined) return []
  switch (def.type) {
    case 'object': {
      const shape = def.shape as Record<PropertyKey, unknown>
      const [key, ...rest] = path
      if (key === undefined) return Object.keys(shape)
      return keysAt(shape[key] ?? def.catchall ?? {}, rest)
    }
    case 'array':
      return path.length === 0 ? [] : keysAt(def.element, path.slice(1))
    case 'record':
      return path.length === 0 ? [] : keysAt(def.valueType, path.slice(1))
    case 'union':
      return [...new Set((def.options as unknown[]).flatMap((it) => keysAt(it, path)))]
    case 'pipe':
      return keysAt(def.in, path)
    default:
      return def.innerType === undefined ? [] : keysAt(def.innerType, path)
  }
}
