import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes to a file, or to standard output. */
export const writeReport = async (text: string, file: string | undefined): Promise<void> => {
  if (file === undefined) {
    process.stdout.write(text)
    return
  }
  mkdirSync(dirname(file), { recursive: true })
  await writeFile(file, text)
}
