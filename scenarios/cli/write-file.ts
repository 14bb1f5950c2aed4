import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Writes a whole file and makes the folders it needs. The text is written beside the file, under a
 * random name that must not exist, and then takes its place: a link of that name is replaced, never
 * followed, and a reader sees the old text or the new. Devices and pipes are written to as they are.
 * @throws the error of the file system
 */
export const writeWholeFile = async (file: string, text: string): Promise<void> => {
  const there = await stat(file).catch(() => undefined)
  if (there !== undefined && !there.isFile() && !there.isDirectory()) return writeFile(file, text)
  await mkdir(dirname(file), { recursive: true })
  const draft = `${file}.${randomBytes(8).toString('hex')}.new`
  const handle = await open(draft, 'wx', there === undefined ? 0o666 : there.mode & 0o777)
  try {
    await handle.writeFile(text)
    await handle.close()
    await rename(draft, file)
  } catch (failed) {
    await handle.close().catch(() => undefined)
    await rm(draft, { force: true })
    throw failed
  }
}
