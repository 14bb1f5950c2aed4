import { z } from 'zod'

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
