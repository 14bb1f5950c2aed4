import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeOnce } from './make-once.ts'
import type { Finished } from './python.ts'

const run = promisify(execFile)
const repository = join(import.meta.dirname, '../..')

/**
 * A folder outside the repository with the packages an example names, created once. It contains the
 * repository as `repo`, so that its examples find them.
 */
export const nodeEnvironmentFor = async (example: string): Promise<string> => {
  const manifest = await readFile(join(example, 'package.json'), 'utf8')
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'lumoauth-harness')
  const name = createHash('sha256').update(manifest).update(repository).digest('hex').slice(0, 16)
  const home = join(cache, `node-${name}`)
  await makeOnce(home, async () => {
    await mkdir(home, { recursive: true })
    await writeFile(join(home, 'package.json'), manifest)
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--silent']
    await run('npm', ['install', ...flags], { cwd: home, maxBuffer: 64 * 1024 * 1024 })
    await symlink(repository, join(home, 'repo'))
  })
  return home
}

/** The compiler errors of a folder of the repository, as if it were there. */
export const compiled = async (home: string, folder: string): Promise<string> => {
  const config = {
    extends: './repo/tsconfig.json',
    compilerOptions: { preserveSymlinks: true, typeRoots: ['./repo/node_modules/@types'] },
    include: [`repo/${folder}/*.ts`],
    exclude: [],
  }
  await writeFile(join(home, 'tsconfig.json'), JSON.stringify(config))
  const compiler = join(repository, 'node_modules/typescript/bin/tsc')
  try {
    await run(process.execPath, [compiler, '--noEmit', '-p', home])
    return ''
  } catch (failed) {
    const { stdout, stderr } = failed as Finished
    return stdout || stderr || String(failed)
  }
}

/** Runs a file of the repository as if it were in such a folder. */
export const runNode = async (
  home: string,
  file: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<Finished> => {
  const flags = ['--preserve-symlinks', '--preserve-symlinks-main', '--disable-warning=UNDICI-EHPA']
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment }
  try {
    const { stdout, stderr } = await run(
      process.execPath,
      [...flags, join(home, 'repo', file), ...args],
      { env, timeout: 120_000 },
    )
    return { code: 0, stdout, stderr }
  } catch (failed) {
    const { code = 1, stdout = '', stderr = String(failed) } = failed as Partial<Finished>
    return { code, stdout, stderr }
  }
}
