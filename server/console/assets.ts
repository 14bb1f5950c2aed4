import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../package-root.ts'

const folder = new URL('server/console/page/', packageRoot)

/** Folder of the style sheets and modules of the page, for servers of static files. */
export const pageFolder: string = fileURLToPath(folder)

/**
 * URL path of these files. It changes with their contents, so that browsers can cache them without
 * limit.
 */
export const assetsPath = (): string => `/console/_page/${version()}`

/** The approvals page as HTML. */
export const pageHtml = (): string =>
  readFileSync(new URL('index.html', folder), 'utf8').replaceAll('{{version}}', version())

let known: string | undefined

/** Read once, at the first request. */
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
