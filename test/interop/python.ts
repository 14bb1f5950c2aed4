import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { makeOnce } from './make-once.ts'

const run = promisify(execFile)

/** Why there is no Python to test with; undefined when there is one. */
export const pythonMissing = async (): Promise<string | undefined> => {
  try {
    await run('python3', ['-c', 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10)'])
    return undefined
  } catch {
    return 'python3 with venv, 3.10 or newer, is not on this machine'
  }
}

/**
 * A virtual environment outside the repository with exactly these packages, created once.
 * @returns the path of its interpreter
 */
export const environmentWith = async (...requirements: readonly string[]): Promise<string> => {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'lumoauth-harness')
  const name = createHash('sha256').update(requirements.join('\n')).digest('hex').slice(0, 16)
  const home = join(cache, `venv-${name}`)
  await makeOnce(home, async () => {
    await run('python3', ['-m', 'venv', home])
    await run(join(home, 'bin/pip'), ['install', '--quiet', ...requirements], {
      maxBuffer: 64 * 1024 * 1024,
    })
  })
  return join(home, 'bin/python')
}

export type Finished = Readonly<{ code: number; stdout: string; stderr: string }>

/**
 * Runs a script of this folder, or any by its path, with an environment, and nothing else of ours.
 */
export const runPython = async (
  python: string,
  script: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<Finished> => {
  const file = resolve(import.meta.dirname, 'python', script)
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment }
  try {
    const { stdout, stderr } = await run(python, [file, ...args], { env, timeout: 120_000 })
    return { code: 0, stdout, stderr }
  } catch (failed) {
    const { code = 1, stdout = '', stderr = String(failed) } = failed as Partial<Finished>
    return { code, stdout, stderr }
  }
}
