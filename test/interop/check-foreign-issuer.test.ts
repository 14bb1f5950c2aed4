import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { figure } from '../support/figure.ts'
import { lumoauthHarness, Running, root } from '../support/running.ts'

/** It is installed into its own folder, apart from our dependencies. */
const installed = async (): Promise<string> => {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const folder = join(cache, 'lumoauth-harness', 'foreign')
  if (!existsSync(join(folder, 'node_modules', 'oidc-provider'))) {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'package.json'), '{"name":"foreign","private":true}')
    const flags = ['--silent', '--ignore-scripts', '--no-audit', '--no-fund']
    await promisify(execFile)('npm', ['install', ...flags, 'oidc-provider@9.13.3'], { cwd: folder })
  }
  return folder
}

describe('oidc-provider, another OAuth server', () => {
  it('is tested in everything it supports, and in nothing else', async () => {
    const script = join(root, 'test/interop/foreign/oidc-provider.mjs')
    const env = { ...process.env, FOREIGN: await installed() }
    await using foreign = new Running(process.execPath, [script], { env })
    const [line = ''] = await foreign.prints('stdout', /^\{.*\}$/m)
    const file = join(tmpdir(), `foreign-${process.pid}.yaml`)
    const report = join(tmpdir(), `foreign-${process.pid}.json`)
    await writeFile(
      file,
      `issuer: { url: "${JSON.parse(line).issuer}", prefix: none, profile: oauth }
agents: [{ name: checked, client_id: checked, client_secret_env: CHECKED_SECRET }]
limits: { requests_per_minute: 60000 }
`,
    )

    await using check = lumoauthHarness(
      ['check', 'issuer', '--target', file, '--report', `statement-json=${report}`],
      { env: { ...process.env, CHECKED_SECRET: 'the secret: + and % of the client' } },
    )

    expect(await check.ends(), check.stderr).toBe(0)
    const { rules, deviations, counts } = JSON.parse(await readFile(report, 'utf8'))
    expect(deviations).toEqual([])
    figure('check issuer, oidc-provider 9.13.3', counts)
    const kept = rules.filter((it: { verdict: string }) => it.verdict === 'passed')
    expect(kept.map((it: { rule: string }) => it.rule)).toEqual(
      expect.arrayContaining([
        'CC-05',
        'CC-07',
        'CC-09',
        'INT-01',
        'INT-02',
        'REV-02',
        'REV-04',
        'RAR-05',
      ]),
    )
    const skipped = rules.filter((it: { verdict: string }) => it.verdict === 'skipped')
    for (const { reasons } of skipped) expect(reasons.length).toBeGreaterThan(0)
  }, 240_000)
})
