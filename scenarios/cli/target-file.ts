import { readFile } from 'node:fs/promises'
import { UsageError } from '../../server/usage-error.ts'
import { type Access, accessOf, missingVariables, readTarget } from '../targets/real/access.ts'
import type { TargetFile } from '../targets/real/target-file.ts'
import { printProblems } from './find-scenarios.ts'

/** Reads a target file. Prints its errors. @throws {UsageError} if there is one */
export const loadTarget = async (name: string): Promise<TargetFile> => {
  const text = await readFile(name, 'utf8').catch(() => {
    throw new UsageError(`there is no ${name}; lumoauth-harness target init writes one`)
  })
  const { file, problems } = readTarget(name, text)
  if (file === undefined) {
    printProblems(problems.map((it) => ({ ...it, severity: 'error' })))
    throw new UsageError(
      `${problems.length} ${problems.length === 1 ? 'mistake' : 'mistakes'} in ${name}; nothing was sent`,
    )
  }
  return file
}

/** A target with its secrets, from the environment. */
export const accessTo = (file: TargetFile, name: string): Access => {
  const missing = missingVariables(file, process.env)
  if (missing.length > 0) {
    throw new UsageError(`not set, and named by ${name}: ${missing.join(', ')}`)
  }
  return accessOf(file, process.env)
}
