import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { figure } from '../support/figure.ts'
import { freePort } from '../support/free-ports.ts'
import { lumoauthHarness, root } from '../support/running.ts'
import { apiTarget } from './apis/target.ts'
import { environmentWith, pythonMissing } from './python.ts'

const missing = await pythonMissing()

/** Checks an API that a command starts, as a user does. */
const checked = async (command: string, more = '', options: readonly string[] = []) => {
  const port = await freePort()
  const file = join(tmpdir(), `api-${port}.yaml`)
  const report = join(tmpdir(), `api-${port}.json`)
  await writeFile(file, apiTarget(port, more))
  const args = ['check', 'api', '--target', file, '--api-command', command]
  await using check = lumoauthHarness([...args, '--report', `statement-json=${report}`, ...options])
  const code = await check.ends()
  if (code === 2) throw new Error(check.stderr)
  const { rules, counts, deviations } = JSON.parse(await readFile(report, 'utf8'))
  const [, mistake] = /^MISTAKE='(.*?)'/.exec(command) ?? []
  figure(
    `check api, ${mistake === undefined ? 'Express and our guard' : `Flask ${mistake}`}`,
    counts,
  )
  return {
    code,
    counts,
    deviations,
    broken: rules
      .filter((it: { verdict: string }) => it.verdict === 'failed')
      .map((it: { rule: string }) => it.rule),
  }
}

describe('an Express API with our guard', () => {
  it('keeps every rule, also for writes', async () => {
    const command = `exec '${process.execPath}' '${join(root, 'test/interop/apis/express-api.ts')}'`
    const writing = `    - request: PUT /documents/plan
      json: { text: Sell pears. }
      requires: { type: file_access, actions: [write], identifier: plan }
`

    const { code, counts, deviations } = await checked(command, writing, ['--allow-writes'])

    expect(deviations).toEqual([])
    expect(code).toBe(0)
    expect(counts).toMatchObject({ failed: 0, passed: expect.any(Number) })
    expect(counts.passed).toBeGreaterThan(60)
  }, 120_000)
})

describe.skipIf(missing)('a Flask API', () => {
  const flask = async (mistake: string) => {
    const python = await environmentWith(
      'flask==3.1.3',
      'pyjwt[crypto]==2.15.1',
      'requests==2.34.0',
    )
    const script = join(root, 'test/interop/apis/flask_api.py')
    return checked(`MISTAKE='${mistake}' exec '${python}' '${script}'`)
  }

  it('without a mistake keeps every rule', async () => {
    const { code, broken } = await flask('')

    expect(broken).toEqual([])
    expect(code).toBe(0)
  }, 300_000)

  it('that decodes tokens without verifying them fails for forged tokens', async () => {
    const { code, broken } = await flask('unverified')

    expect(broken).toEqual(
      expect.arrayContaining([
        'AT-04',
        'AT-05',
        'AT-06',
        'JWT-01',
        'JWT-02',
        'JWT-05',
        'JWT-09',
        'THR-01',
      ]),
    )
    expect(code).toBe(1)
  }, 120_000)

  it('that compares only the type fails for wider access', async () => {
    expect((await flask('any-document')).broken).toEqual(['API-COVERS', 'RAR-18', 'RAR-21'])
  }, 120_000)

  it('with a challenge in base64url fails for this rule only', async () => {
    expect((await flask('url-safe-challenge')).broken).toEqual(['LUMO-CHALLENGE-2'])
  }, 120_000)
})
