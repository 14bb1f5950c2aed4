import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/**
 * Makes a folder once. Test files run in processes side by side: the others wait until the folder is
 * complete. A lock that its process left behind is taken over.
 */
export const makeOnce = async (home: string, make: () => Promise<void>): Promise<void> => {
  const done = join(home, 'complete')
  const lock = `${home}.lock`
  await mkdir(dirname(home), { recursive: true })
  while (!existsSync(done)) {
    try {
      await writeFile(lock, `${process.pid}`, { flag: 'wx' })
    } catch (taken) {
      if ((taken as NodeJS.ErrnoException).code !== 'EEXIST') throw taken
      await setTimeout(200)
      if (!(await isHeld(lock))) await rm(lock, { force: true })
      continue
    }
    try {
      if (existsSync(done)) return
      await rm(home, { recursive: true, force: true })
      await make()
      await writeFile(done, '')
    } finally {
      await rm(lock, { force: true })
    }
  }
}

/** Whether the process that wrote the lock still runs; one that is being written is held. */
const isHeld = async (lock: string): Promise<boolean> => {
  const text = await readFile(lock, 'utf8').catch(() => '')
  if (text === '') return true
  try {
    return process.kill(Number(text), 0)
  } catch {
    return false
  }
}
