import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { root } from '../support/running.ts'

export type Machine = Readonly<{
  cpu: string
  cores: number
  memoryGiB: number
  kernel: string
  node: string
  commit: string
  load: { begun: string; ended: string }
}>

/** Load averages over 1, 5 and 15 minutes: what else ran on the machine. */
export const load = (): string =>
  loadavg()
    .map((it) => it.toFixed(1))
    .join(' ')

export const thisMachine = (begun: string): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  node: process.version,
  commit: commit(),
  load: { begun, ended: load() },
})

/** The commit, marked if the working tree differs from it. */
const commit = (): string => {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no').trim() !== ''
    return `${git('rev-parse', '--short', 'HEAD').trim()}${changed ? ' and changes' : ''}`
  } catch {
    return 'unknown'
  }
}
