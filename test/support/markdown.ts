import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { root } from './running.ts'

/**
 * The place where a block is run: a clone of the repository, or a project with the installed
 * package.
 */
export type BlockPlace = 'repository' | 'project'

/** A fenced block of a page, and the comments before it. */
export type Block = Readonly<{
  /** `README.md:42`, for error messages. */
  at: string
  language: string
  text: string
  /** From the last `<!-- in: PLACE -->` before it; the page begins in the repository. */
  place: BlockPlace
  /** `<!-- with: start -->`: needs a running `start` and its environment, and the page says so. */
  needsStart: boolean
  /** Why it is not run: `<!-- not run: REASON -->`. */
  notRun?: string
  /** Why it is run elsewhere, or with FULL=1 only: `<!-- slow: REASON -->`. */
  slow?: string
  /** What it prints: `<!-- prints: TEXT -->`. */
  prints?: string
  /** The file it is saved as, named in its first line: `// agent.ts`, `# agent.py`. */
  file?: string
}>

/** The fenced blocks of a page, in order. */
export const blocksOf = (file: string): Block[] => {
  const page = readFileSync(file, 'utf8')
  const fences =
    /((?:^<!-- (?:not run|slow|prints|with|in): .* -->\n)*)^```(\w*)\n([\s\S]*?)^```$/gm
  let place: BlockPlace = 'repository'
  return [...page.matchAll(fences)].map((match) => {
    const [whole, comments = '', language = '', text = ''] = match
    const marks = new Map(
      [...comments.matchAll(/^<!-- (not run|slow|prints|with|in): (.*) -->$/gm)].map(
        ([, name = '', said = '']) => [name, said],
      ),
    )
    place = placeOf(marks.get('in')) ?? place
    const at = match.index + whole.indexOf('```')
    const [notRun, slow, prints] = [marks.get('not run'), marks.get('slow'), marks.get('prints')]
    const named = /^(?:\/\/|#) ([\w./-]+\.\w+|Jenkinsfile)\n/.exec(text)?.[1]
    return {
      at: `${relative(root, file)}:${page.slice(0, at).split('\n').length}`,
      language,
      text,
      place,
      needsStart: marks.get('with') === 'start',
      ...(notRun === undefined ? {} : { notRun }),
      ...(slow === undefined ? {} : { slow }),
      ...(prints === undefined ? {} : { prints }),
      ...(named === undefined ? {} : { file: named }),
    }
  })
}

const placeOf = (text: string | undefined): BlockPlace | undefined => {
  if (text === undefined || text === 'repository' || text === 'project') return text
  throw new Error(`<!-- in: ${text} -->: expected repository or project`)
}

/** The pages whose blocks are run unchanged. */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'TROUBLESHOOTING.md',
  'client/README.md',
  'client/examples/README.md',
  'client/examples/crewai/README.md',
  'server/README.md',
  'server/api/README.md',
  'server/deploy/README.md',
  'server/issuer/policy/README.md',
  'server/journal/README.md',
  'scenarios/README.md',
  'scenarios/checks/README.md',
  'scenarios/policies/README.md',
  'test/README.md',
  'test/bench/README.md',
]
