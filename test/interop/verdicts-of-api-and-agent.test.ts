import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { figure } from '../support/figure.ts'
import { freePort } from '../support/free-ports.ts'
import { lumoauthHarness, root } from '../support/running.ts'
import { apiTarget } from './apis/target.ts'

/*
 * The verdicts of `check api` and `check agent` on programs that do one thing, or nothing. A verdict on a
 * rule that they did not break is wrong.
 */
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumoauth-verdicts-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs a check. @returns its exit code, its output, and the rules it reports as broken */
const check = async (of: string, ...args: string[]) => {
  const report = join(folder, 'statement.json')
  await rm(report, { force: true })
  await using running = lumoauthHarness([...args, '--report', `statement-json=${report}`])
  const code = await running.ends()
  const statement = await readFile(report, 'utf8').then(JSON.parse, () => undefined)
  const broken: string[] = (statement?.rules ?? [])
    .filter((it: { verdict: string }) => it.verdict === 'failed')
    .map((it: { rule: string }) => it.rule)
  figure(`verdicts, ${of}`, { ...(statement?.counts ?? { stopped: 1 }), accused: broken.length })
  return { code, broken: broken.sort(), stderr: running.stderr, stdout: running.stdout }
}

describe('check api of an API that', () => {
  const checkApi = async (status: number) => {
    const port = await freePort()
    const target = join(folder, 'api.yaml')
    await writeFile(target, apiTarget(port))
    const script = join(root, 'test/interop/apis/alike.mjs')
    const command = `exec '${process.execPath}' '${script}' ${status}`
    const args = ['check', 'api', '--target', target, '--api-command', command]
    return check(`an API that answers ${status}`, ...args)
  }

  it.each([401, 403, 503])(
    'answers %i to everything: the check stops',
    async (status) => {
      const { code, broken, stderr } = await checkApi(status)

      expect(broken).toEqual([])
      expect(code).toBe(2)
      expect(stderr).toContain('the correct token is not accepted')
      expect(stderr).toContain(`GET /documents/plan answered ${status}`)
    },
    120_000,
  )

  it('accepts everything: no rule about refusals that it never sent', async () => {
    const { code, broken } = await checkApi(200)

    expect(code).toBe(1)
    // It sends neither a challenge nor a 401, so it breaks no rule about their contents.
    expect(broken).toEqual([
      ...['API-COVERS', 'AT-04', 'AT-05', 'AT-06', 'BRR-03', 'BRR-04'],
      ...['JWT-01', 'JWT-02', 'JWT-05', 'JWT-09', 'JWT-10', 'JWT-11', 'JWT-12', 'JWT-13', 'JWT-15'],
      ...['LUMO-CHALLENGE-1', 'RAR-03', 'RAR-18', 'RAR-21', 'THR-01'],
    ])
  }, 120_000)
})

describe('check agent of an agent that', () => {
  it.each([
    ['does nothing', ''],
    ['crashes', 'throw new Error("crashed")'],
    ['ends with an exit code', 'process.exit(3)'],
  ])(
    '%s: the check stops',
    async (what, text) => {
      const script = join(folder, 'agent.mjs')
      await writeFile(script, text)
      await using running = lumoauthHarness([
        ...['check', 'agent', '--report', `statement-json=${join(folder, 'agent.json')}`],
        ...['--', process.execPath, script],
      ])

      const code = await running.ends()

      const statement = await readFile(join(folder, 'agent.json'), 'utf8').then(
        JSON.parse,
        () => undefined,
      )
      const broken = (statement?.rules ?? []).filter(
        (it: { verdict: string }) => it.verdict === 'failed',
      )
      figure(`verdicts, an agent that ${what}`, { ...statement?.counts, accused: broken.length })
      expect(broken).toEqual([])
      expect(code).toBe(1)
      expect(running.stdout).toContain('the agent called neither issuer nor API')
    },
    120_000,
  )
})
