import { expect, it } from 'vitest'
import { createHarness } from '../../server/index.ts'
import { environmentWith, pythonMissing, runPython } from './python.ts'

type Row = Readonly<{ method: string; result: string; why?: string }>

const missing = await pythonMissing()

it.skipIf(missing).each(['1.1.0', '1.0.0'])(
  'the published Python SDK %s: every public method',
  async (version) => {
    const python = await environmentWith(`lumoauth==${version}`)
    await using harness = await createHarness()
    const tenant = harness.createTenant({
      agents: [
        {
          name: 'report-bot',
          capabilities: ['read:documents', 'write:reports', 'mcp:read'],
          redirect_uris: ['http://127.0.0.1/callback'],
          budget: { max_tokens_per_day: 1000 },
        },
        { name: 'sub-bot', capabilities: ['read:documents'] },
      ],
      users: [
        { email: 'approver@example.com', permissions: ['jit.approve', 'settings.manage'] },
        { email: 'alice@example.com', permissions: ['document.read'] },
      ],
      mcp_servers: [{ name: 'Finance', resource_uri: 'https://mcp.example.com/mcp' }],
    })
    const userToken = async (user: string, scope: string) => {
      const url = `${harness.issuer}/_harness/tenants/${tenant.tenant}/user-token`
      const headers = {
        authorization: `Bearer ${harness.controlToken}`,
        'content-type': 'application/json',
      }
      const body = JSON.stringify({ user, scope })
      const answer = await fetch(url, { method: 'POST', headers, body })
      return ((await answer.json()) as { access_token: string }).access_token
    }

    const { stdout, stderr } = await runPython(python, 'every_method.py', {
      ...tenant.environment,
      SUB_SECRET: tenant.agents[1]?.client_secret ?? '',
      ALICE: await userToken('alice@example.com', 'read:documents'),
      REVIEWER: await userToken('approver@example.com', 'jit:approve'),
    })
    const rows: Row[] = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))

    const count = (result: string) => rows.filter((it) => it.result === result).length
    console.log(
      [
        ...rows.map((it) => `${it.result.padEnd(13)} ${it.method}${it.why ? `: ${it.why}` : ''}`),
        `lumoauth ${version}: ${count('ok')} ok, ${count('out of scope')} out of scope of ${rows.length}`,
      ].join('\n'),
    )
    expect(rows.filter(({ result }) => !['ok', 'out of scope'].includes(result))).toEqual([])
    expect(count('ok'), stderr).toBeGreaterThan(75)
  },
  240_000,
)
