import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-ports.ts'
import { blocksOf } from '../support/markdown.ts'
import { lumoauthHarness, root } from '../support/running.ts'
import { environmentWith, pythonMissing } from './python.ts'

const missing = await pythonMissing()
const blocks = blocksOf(join(root, 'server/api/README.md'))

/* The Express API of the README is checked by test/package/pages.test.ts. */
describe.skipIf(missing)('an API of the page, unchanged,', () => {
  it.each(['flask_app.py', 'fastapi_app.py'])(
    'keeps every rule of check api: %s',
    async (app) => {
      const python = await environmentWith(
        'fastapi==0.165.0',
        'flask==3.1.3',
        'pyjwt[crypto]==2.15.1',
        'requests==2.34.0',
        'uvicorn==0.54.0',
      )
      const folder = await mkdtemp(join(tmpdir(), 'lumoauth-readme-api-'))
      for (const { file, text } of blocks) {
        if (file?.endsWith('.py')) await writeFile(join(folder, file), text)
      }
      await writeFile(
        join(folder, 'api.yaml'),
        `api:
  url: http://127.0.0.1:${await freePort()}
  routes:
    - request: GET /documents/plan
      requires: { type: file_access, actions: [read], identifier: plan }
      foreign: /documents/budget
limits: { requests_per_minute: 60000 }
`,
      )

      const command = `exec '${python}' ${app}`
      await using check = lumoauthHarness(
        ['check', 'api', '--target', 'api.yaml', '--api-command', command],
        { cwd: folder },
      )

      expect(await check.ends(), check.stdout + check.stderr).toBe(0)
      expect(check.stdout).toMatch(/[1-9]\d* passed, 0 failed/)
      await rm(folder, { recursive: true })
    },
    300_000,
  )
})
