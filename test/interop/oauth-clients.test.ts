import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createHarness } from '../../server/index.ts'
import { nodeEnvironmentFor, runNode } from './node.ts'
import { environmentWith, pythonMissing, runPython } from './python.ts'

const run = promisify(execFile)
const clients = join(import.meta.dirname, 'clients')

type Row = Readonly<{ client: string; flow: string; ok: boolean; why?: string }>
type Output = Readonly<{ stdout: string; stderr: string }>

/** Runs clients against a fresh tenant, and prints client × flow. */
const drive = async (
  start: (environment: Readonly<Record<string, string>>) => Promise<Output>,
): Promise<Readonly<{ rows: readonly Row[]; stderr: string }>> => {
  await using harness = await createHarness()
  const tenant = harness.createTenant({
    policy: { poll_interval: 1 },
    agents: [{ name: 'report-bot' }, { name: 'odd-secret', client_secret: 'z/tZ9V+w %w& é=' }],
    applications: [
      { name: 'web', redirect_uris: ['http://127.0.0.1:8765/callback'] },
      { name: 'spa', public: true, redirect_uris: ['http://127.0.0.1:8765/callback'] },
    ],
  })
  const [agent] = tenant.agents
  const { stdout, stderr } = await start({
    ISSUER: tenant.urls.tenant,
    API: tenant.urls.api,
    CONTROL: `${harness.issuer}/_harness/tenants/${tenant.tenant}`,
    CONTROL_TOKEN: harness.controlToken,
    AGENT_ID: agent?.client_id ?? '',
    AGENT_SECRET: agent?.client_secret ?? '',
    ODD_SECRET: 'z/tZ9V+w %w& é=',
    WEB_SECRET: tenant.applications[0]?.client_secret ?? '',
  })
  const rows: Row[] = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  console.log(
    rows
      .map(
        ({ client, flow, ok, why }) =>
          `${ok ? 'ok  ' : 'FAIL'} ${client.padEnd(40)} ${flow}${why ? `: ${why}` : ''}`,
      )
      .join('\n'),
  )
  return { rows, stderr }
}

const isAll = process.env.INTEROP === 'all'
const missing = {
  python: isAll ? await pythonMissing() : 'on demand: INTEROP=all',
  go: isAll
    ? await run('go', ['version']).then(
        () => undefined,
        () => 'go is not on this machine',
      )
    : 'on demand: INTEROP=all',
}

describe('OAuth clients, unmodified, complete every flow they support', () => {
  it('from npm', async () => {
    const home = await nodeEnvironmentFor(clients)

    const { rows, stderr } = await drive((environment) =>
      runNode(home, 'test/interop/clients/flows.mjs', environment),
    )

    expect(rows.filter(({ ok }) => !ok)).toEqual([])
    expect(rows.length, stderr).toBe(15)
  }, 300_000)

  it.skipIf(missing.python)(
    `Authlib and PyJWT${missing.python ? ` (${missing.python})` : ''}`,
    async () => {
      const versions = { AUTHLIB: '1.9.10', PYJWT: '2.15.1' }
      const python = await environmentWith(
        `authlib==${versions.AUTHLIB}`,
        `pyjwt[crypto]==${versions.PYJWT}`,
        'requests',
      )

      const { rows, stderr } = await drive((environment) =>
        runPython(python, join(clients, 'flows.py'), { ...environment, ...versions }),
      )

      expect(rows.filter(({ ok }) => !ok)).toEqual([])
      expect(rows.length, stderr).toBe(11)
    },
    300_000,
  )

  it.skipIf(missing.go)(
    `golang.org/x/oauth2 and go-oidc${missing.go ? ` (${missing.go})` : ''}`,
    async () => {
      const { PATH, HOME, GOPROXY, GOFLAGS } = process.env
      const given = Object.fromEntries(
        Object.entries({ PATH, HOME, GOPROXY, GOFLAGS }).filter(([, value]) => value !== undefined),
      )

      const { rows, stderr } = await drive((environment) =>
        run('go', ['run', '.'], {
          cwd: join(clients, 'go'),
          env: { ...given, ...environment },
          timeout: 280_000,
        }).catch((failed: Output) => failed),
      )

      expect(rows.filter(({ ok }) => !ok)).toEqual([])
      expect(rows.length, stderr).toBe(8)
    },
    300_000,
  )
})
