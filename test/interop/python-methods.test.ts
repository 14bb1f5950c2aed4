import { expect, it } from 'vitest'
import { createHarness } from '../../server/index.ts'
import { environmentWith, pythonMissing, runPython } from './python.ts'

type Row = Readonly<{ method: string; result: string; why?: string }>

const missing = await pythonMissing()

/** A package, what drives it, and how many methods are in scope at least. */
const clients = [
  ['lumoauth==1.1.0', 'every_method.py', 85],
  ['lumoauth==1.0.0', 'every_method.py', 85],
  ['lumoauth-api-client==1.1.0', 'generated_client.py', 50],
  ['lumoauth-api-client==1.0.0', 'generated_client.py', 50],
] as const

it.skipIf(missing).each(clients)(
  '%s from PyPI: every public method',
  async (client, script, least) => {
    const python = await environmentWith(
      client,
      ...(script === 'generated_client.py' ? ['requests'] : []),
    )
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
      workload: [
        {
          issuer: 'https://kubernetes.example',
          subject: 'system:serviceaccount:a:b',
          agent: 'sub-bot',
        },
      ],
      connections: [
        {
          connection_id: 'conn_drive',
          name: 'Drive',
          provider: 'google',
          users: ['alice@example.com'],
        },
      ],
      mcp_servers: [{ name: 'Finance', resource_uri: 'https://mcp.example.com/mcp' }],
    })
    const minted = async (path: string, order: object) => {
      const url = `${harness.issuer}/_harness/tenants/${tenant.tenant}${path}`
      const headers = {
        authorization: `Bearer ${harness.controlToken}`,
        'content-type': 'application/json',
      }
      const body = JSON.stringify(order)
      const answer = await fetch(url, { method: 'POST', headers, body })
      return ((await answer.json()) as { access_token: string }).access_token
    }

    const { stdout, stderr } = await runPython(python, script, {
      ...tenant.environment,
      SUB_SECRET: tenant.agents[1]?.client_secret ?? '',
      ALICE: await minted('/user-token', { user: 'alice@example.com', scope: 'read:documents' }),
      REVIEWER: await minted('/user-token', { user: 'approver@example.com', scope: 'jit:approve' }),
      WORKLOAD: await minted('/workload-token', {}),
      MCP: tenant.mcp_servers[0]?.server_id ?? '',
    })
    const rows: Row[] = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))

    const count = (result: string) => rows.filter((it) => it.result === result).length
    console.log(
      [
        ...rows.map((it) => `${it.result.padEnd(13)} ${it.method}${it.why ? `: ${it.why}` : ''}`),
        `${client}: ${count('ok')} ok, ${count('out of scope')} out of scope of ${rows.length}`,
      ].join('\n'),
    )
    expect(rows.filter(({ result }) => !['ok', 'out of scope'].includes(result))).toEqual([])
    expect(count('ok'), stderr).toBeGreaterThanOrEqual(least)
  },
  240_000,
)
