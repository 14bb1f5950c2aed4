import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { root } from '../support/running.ts'
import { environmentWith, pythonMissing } from './python.ts'

const run = promisify(execFile)
const examples = join(root, 'client/examples')
const harness = `${process.execPath} ${join(root, 'scenarios/cli.ts')}`

const missing = {
  python: await pythonMissing(),
  go: await run('go', ['version']).then(
    () => undefined,
    () => 'go is not on this machine',
  ),
}

/**
 * Runs a test runner of another language in the folder of its example, and nothing else of ours.
 */
const runTests = async (
  command: string,
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>>,
) => {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, LUMOAUTH_HARNESS: harness, ...environment }
  const cwd = join(examples, folder)
  return run(command, [...args], { cwd, env, timeout: 170_000 }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout, stderr }) => ({ code, stdout: `${stdout}${stderr}` }),
  )
}

describe('tests in other languages', () => {
  it.skipIf(missing.python)(
    `run by pytest against the published SDK${missing.python ? ` (${missing.python})` : ''}`,
    async () => {
      const python = await environmentWith('lumoauth==1.1.0', 'pytest>=8,<10')

      const { code, stdout } = await runTests(
        python,
        ['-m', 'pytest', '-q', '-p', 'no:cacheprovider'],
        'pytest',
        { PYTHONDONTWRITEBYTECODE: '1' },
      )

      expect(code, stdout).toBe(0)
      expect(stdout).toContain('5 passed')
    },
    240_000,
  )

  it.skipIf(missing.go)(
    `run by go test${missing.go ? ` (${missing.go})` : ''}`,
    async () => {
      const cache = await mkdtemp(join(tmpdir(), 'go-cache-'))
      try {
        const { code, stdout } = await runTests('go', ['test', '-v', './...'], 'go-testing', {
          GOCACHE: cache,
          GOFLAGS: '-count=1',
        })

        expect(code, stdout).toBe(0)
        expect(stdout.match(/^--- PASS/gm)).toHaveLength(4)
      } finally {
        await rm(cache, { recursive: true, force: true })
      }
    },
    240_000,
  )
})
