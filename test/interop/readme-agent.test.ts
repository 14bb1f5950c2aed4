import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { blocksOf } from '../support/markdown.ts'
import { lumoauthHarness, root } from '../support/running.ts'
import { environmentWith, pythonMissing } from './python.ts'

/* The page must not teach what the checker forbids. Its agent in TypeScript is checked by test/package/pages.test.ts. */
it.skipIf(await pythonMissing())(
  'check agent finds in the Python agent of the README what the SDK does, and nothing else',
  async () => {
    const agent = blocksOf(join(root, 'README.md')).find(({ file }) => file === 'agent.py')
    const folder = await mkdtemp(join(tmpdir(), 'lumoauth-readme-agent-'))
    await writeFile(join(folder, 'agent.py'), agent?.text ?? '')
    const python = await environmentWith('lumoauth==1.1.0')
    const baseline = join(root, 'client/examples/lumoauth-1.1.0.yaml')

    await using check = lumoauthHarness(
      ['check', 'agent', '--baseline', baseline, '--', python, 'agent.py'],
      { cwd: folder },
    )

    expect(await check.ends(), check.stdout + check.stderr).toBe(0)
    expect(check.stdout).toMatch(/\(known: /)
    await rm(folder, { recursive: true })
  },
  600_000,
)
