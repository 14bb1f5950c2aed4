import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { root } from './running.ts'

/** A fenced block of a page, and the comment before it. */
export type Block = Readonly<{
  /** `README.md:42`, for error messages. */
  at: string
  language: string
  text: string
  /** Why it is not run: `<!-- not run: REASON -->`. */
  notRun?: string
  /** What it prints: `<!-- prints: TEXT -->`. */
  prints?: string
}>

/** The fenced blocks of a page, in order. */
export const blocksOf = (file: string): Block[] => {
  const page = readFileSync(file, 'utf8')
  const fences = /(?:^<!-- (not run|prints): (.*) -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm
  return [...page.matchAll(fences)].map((match) => {
    const [whole, mark, said, language = '', text = ''] = match
    const line = page.slice(0, match.index + whole.indexOf('```')).split('\n').length
    return {
      at: `${relative(root, file)}:${line}`,
      language,
      text,
      ...(mark === 'not run' && said ? { notRun: said } : {}),
      ...(mark === 'prints' && said ? { prints: said } : {}),
    }
  })
}
