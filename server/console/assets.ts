import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../package-root.ts'

const folder = new URL('server/console/page/', packageRoot)

/** Where the style sheets and modules of the page stand, for whatever serves static files. */
export const pageFolder: string = fileURLToPath(folder)

/** Where a browser finds these files. The path changes with them, so that it may keep them for ever. */
export const assetsPath = (): string => `/console/_page/${version()}`

/** The approvals page as HTML. */
export const pageHtml = (): string =>
  readFileSync(new URL('index.html', folder), 'utf8').replaceAll('{{version}}', version())

let known: string | undefined

/** Read once, when the first browser comes. */
const version = (): string => {
  known ??= createHash('sha256')
    .update(
      readdirSync(folder)
        .sort()
        .map((name) => readFileSync(new URL(name, folder), 'utf8'))
        .join('\0'),
    )
    .digest('hex')
    .slice(0, 16)
  return known
}
