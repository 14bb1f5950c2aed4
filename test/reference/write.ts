/**
 * `npm run docs:reference`: writes the reference pages from the declarations. With `--check`, a part
 * of `npm run check`: fails when a page is out of date.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { root } from '../support/running.ts'
import { referencePages } from './pages.ts'

const isCheck = process.argv.includes('--check')
for (const [name, text] of await referencePages()) {
  const file = join(root, name)
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  if (kept === text) continue
  if (isCheck) {
    process.exitCode = 1
    console.error(`${name} is out of date; npm run docs:reference writes it again`)
  } else {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    console.log(`wrote ${name}`)
  }
}
