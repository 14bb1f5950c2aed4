import {
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { JournalError } from './error.ts'

/** Milliseconds between two renewals of a lock, and until a lock that is not renewed counts as stale. */
const beat = 2_000
const staleAfter = 10_000

/**
 * Locks a journal for this process. Takes over the lock of a process that has ended: immediately when its
 * end is visible, else after ten seconds (another container on the volume).
 * @returns a function that unlocks it
 * @throws {JournalError} while another process has locked it
 */
export const lockJournal = (journal: string): (() => void) => {
  const file = `${journal}.lock`
  const mine = JSON.stringify({
    pid: process.pid,
    started: startOf(process.pid),
    among: processNamespace,
  })
  for (let tries = 0; tries < 10; tries += 1) {
    if (writeLockFile(file, mine, journal)) {
      const pulse = setInterval(() => touch(file), beat).unref()
      return () => {
        clearInterval(pulse)
        if (readIfThere(file) === mine) unlinkIfThere(file)
      }
    }
    const theirs = readIfThere(file)
    if (theirs === undefined) continue
    const owner = ownerIn(theirs)
    if (isAlive(file, owner)) {
      throw new JournalError(
        `the journal ${journal} is in use by ${owner ? `process ${owner.pid}` : 'another process'}; stop it, or use another file`,
      )
    }
    removeStaleLock(file, theirs)
  }
  throw new JournalError(`the journal ${journal} is being opened by other processes`)
}

const writeLockFile = (file: string, text: string, journal: string): boolean => {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 })
    return true
  } catch (failed) {
    const { code } = failed as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code === 'ENOSPC' || code === 'EFBIG') unlinkIfThere(file)
    throw new JournalError(`the journal ${journal} cannot be written: ${code}`)
  }
}

/** Renames a stale lock first, so that only one of several processes takes it over; restores a fresh lock. */
const removeStaleLock = (file: string, stale: string): void => {
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  const taken = readIfThere(aside)
  if (taken !== undefined && taken !== stale) writeFileSync(file, taken, { flag: 'wx' })
  unlinkIfThere(aside)
}

type Owner = Readonly<{ pid: number; started?: string; among: string }>

const ownerIn = (text: string): Owner | undefined => {
  try {
    const owner = JSON.parse(text)
    return Number.isInteger(owner.pid) && owner.pid > 0 ? owner : undefined
  } catch {
    return undefined
  }
}

/** An empty lock file may be in the middle of its creation. */
const isAlive = (file: string, owner: Owner | undefined): boolean => {
  if (owner?.among !== processNamespace) return Date.now() - touchedAt(file) < staleAfter
  try {
    process.kill(owner.pid, 0)
  } catch (failed) {
    if ((failed as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  // Another process may have the same number by now, as after a restart of a container.
  return owner.started === startOf(owner.pid)
}

/** Start time of a process, if the system provides it. */
const startOf = (pid: number): string | undefined =>
  readIfThere(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')[19]

/** The namespace in which the number of a process is unique. */
const processNamespace = (() => {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return hostname()
  }
})()

const touch = (file: string) => {
  try {
    const now = new Date()
    utimesSync(file, now, now)
  } catch {
    // Another program has removed it.
  }
}

const touchedAt = (file: string): number => {
  try {
    return statSync(file).mtimeMs
  } catch {
    return 0
  }
}

const readIfThere = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

const unlinkIfThere = (file: string): void => {
  try {
    unlinkSync(file)
  } catch {
    // It no longer exists.
  }
}
