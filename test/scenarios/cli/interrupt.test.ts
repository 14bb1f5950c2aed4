import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { lumoauthHarness } from '../../support/running.ts'

/** These tests start whole processes, and the machine may be busy. */
vi.setConfig({ testTimeout: 60_000 })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumoauth-interrupt-'))
})
afterAll(() => rm(folder, { recursive: true }))

const quick = `
scenario: An answer that arrives
steps:
  - call: GET /v1/documents/doc_9982
    expect: { status: 403 }
`
/** Would take 60 s of real time. */
const slow = `
scenario: An answer that takes long
given: { misbehave: [{ name: network-slow, ms: 60000 }] }
steps:
  - call: GET /v1/documents/doc_9982
`

describe('Ctrl-C in `run`', () => {
  it('prints the summary, writes the reports, and ends with exit code 130', async () => {
    const files = [join(folder, 'a-quick.yaml'), join(folder, 'b-slow.yaml')]
    await writeFile(files[0] as string, quick)
    await writeFile(files[1] as string, slow)
    const report = join(folder, 'report.xml')
    await using running = lumoauthHarness([
      'run',
      ...files,
      ...['--concurrency', '1', '--reporter', 'list', '--report', `junit=${report}`],
    ])
    await running.prints('stdout', /An answer that arrives/)

    running.signal('SIGINT')

    expect(await running.ends(), running.stderr).toBe(130)
    expect(running.stderr).toContain('SIGINT: completing open tasks')
    expect(running.stdout).toMatch(/1 passed/)
    expect(existsSync(report)).toBe(true)
    expect(await readFile(report, 'utf8')).toContain('An answer that arrives')
  })
})

describe('check agent', () => {
  it('takes the command without `--`, and leaves the options after it to the command', async () => {
    const script = join(folder, 'agent.mjs')
    await writeFile(script, 'console.error(process.argv.slice(2).join())')
    const only = ['--only', 'happy-path']
    const how = ['check', 'agent', ...only, '--concurrency', '1']

    await using bare = lumoauthHarness([...how, process.execPath, script, '--only', 'mine'])
    await using dashed = lumoauthHarness([...how, '--', process.execPath, script, '--only', 'mine'])
    const codes = [await bare.ends(), await dashed.ends()]

    expect(codes).toEqual([1, 1])
    expect(bare.stdout).toContain('the agent called neither issuer nor API')
    expect(bare.stdout.replaceAll(/[\d.]+ m?s\b/g, '')).toBe(
      dashed.stdout.replaceAll(/[\d.]+ m?s\b/g, ''),
    )
  })
})
