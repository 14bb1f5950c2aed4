/** `npm run docs:api`: writes the pages of the TypeScript API from `dist`. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { root } from '../support/running.ts'
import { apiPages } from './api.ts'

for (const [name, text] of apiPages(root)) {
  await mkdir(dirname(join(root, name)), { recursive: true })
  await writeFile(join(root, name), text)
  console.log(`wrote ${name}`)
}
