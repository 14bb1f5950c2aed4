import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../../scenarios/cli.ts', import.meta.url))

/** A folder for files, in which the command line runs. */
export const workspace = () => {
  const folder = mkdtempSync(join(tmpdir(), 'policies-'))
  return {
    folder,
    /** Writes a file. @returns its name */
    file: (name: string, text: string) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
      return name
    },
    /** Runs `lumoauth-harness policy`. */
    policy: (...args: string[]) => runPolicy(folder, {}, args),
    policyWith: (more: Record<string, string>, ...args: string[]) => runPolicy(folder, more, args),
    remove: () => rmSync(folder, { recursive: true }),
  }
}

const runPolicy = (cwd: string, more: Record<string, string>, args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'policy', ...args], {
    cwd,
    encoding: 'utf8',
    env: {
      ...process.env,
      NO_COLOR: '1',
      NODE_NO_WARNINGS: '1',
      FORCE_COLOR: undefined,
      GITHUB_ACTIONS: undefined,
      ...more,
    },
  })
  return { status, stdout, stderr }
}
