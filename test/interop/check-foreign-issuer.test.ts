import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { figure } from '../support/figure.ts'
import { lumoauthHarness, Running, root } from '../support/running.ts'

/** Each is installed into a folder of its own, apart from our dependencies. */
const versions = {
  'oidc-provider': '9.13.3',
  'oauth2-mock-server': '9.3.0',
  '@node-oauth/oauth2-server': '5.3.0',
}
type Server = keyof typeof versions

const installed = async (server: Server): Promise<string> => {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const folder = join(cache, 'lumoauth-harness', `foreign-${server.replace(/.*\//, '')}`)
  if (!existsSync(join(folder, 'node_modules', server))) {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'package.json'), '{"name":"foreign","private":true}')
    const flags = ['--silent', '--ignore-scripts', '--no-audit', '--no-fund']
    const name = `${server}@${versions[server]}`
    await promisify(execFile)('npm', ['install', ...flags, name], { cwd: folder })
  }
  return folder
}

const checkForeign = async (server: Server) => {
  const script = join(root, `test/interop/foreign/${server.replace(/.*\//, '')}.mjs`)
  const env = { ...process.env, FOREIGN: await installed(server) }
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
  const code = await check.ends()
  const { rules, counts } = JSON.parse(await readFile(report, 'utf8'))
  figure(`check issuer, ${server} ${versions[server]}`, counts)
  const of = (wanted: string): { rule: string; reasons: string[] }[] =>
    rules.filter((it: { verdict: string }) => it.verdict === wanted)
  return { code, stderr: check.stderr, of }
}

describe('another OAuth server', () => {
  it('oidc-provider is tested in everything it supports, and in nothing else', async () => {
    const { code, stderr, of } = await checkForeign('oidc-provider')

    expect(code, stderr).toBe(0)
    expect(of('failed')).toEqual([])
    const kept = of('passed').map(({ rule }) => rule)
    expect(kept).toEqual(
      expect.arrayContaining([
        ...['CC-05', 'CC-07', 'CC-09', 'INT-01', 'INT-02', 'REV-02', 'REV-04', 'RAR-05'],
      ]),
    )
    for (const { reasons } of of('skipped')) expect(reasons.length).toBeGreaterThan(0)
  }, 240_000)

  it('oauth2-mock-server, which accepts every client, is accused of what it does, and of nothing else', async () => {
    const { code, of } = await checkForeign('oauth2-mock-server')

    expect(code).toBe(1)
    expect(
      of('failed')
        .map(({ rule }) => rule)
        .sort(),
    ).toEqual([
      'CC-01', // its errors have no `error`
      'CC-05', // every secret is accepted
      'CC-06', // as CC-01
      'CC-14', // as CC-05
      'INT-01', // introspection without credentials
      'INT-02', // an unknown token is active
      'REV-01', // revocation without credentials
      'REV-04', // a revoked token is active
    ])
    for (const { reasons } of of('skipped')) expect(reasons.length).toBeGreaterThan(0)
  }, 240_000)

  it('@node-oauth/oauth2-server, which has a token endpoint only, is accused of nothing', async () => {
    const { code, stderr, of } = await checkForeign('@node-oauth/oauth2-server')

    expect(of('failed')).toEqual([])
    expect(code, stderr).toBe(0)
    expect(of('passed').map(({ rule }) => rule)).toEqual(expect.arrayContaining(['CC-05']))
    const skipped = Object.fromEntries(of('skipped').map(({ rule, reasons }) => [rule, reasons]))
    expect(skipped['INT-01']).toContain('introspection of a valid token answered 404 not_found')
    expect(skipped['REV-01']).toContain('revocation answered 404 not_found')
    // It does not decode the credentials of HTTP Basic, and this secret needs it.
    expect(skipped['CC-06']?.join()).toMatch(/client authentication by HTTP Basic answered 401/)
  }, 240_000)
})
