import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createHarness } from '../../server/index.ts'
import { nodeEnvironmentFor, runNode } from './node.ts'

type Row = Readonly<{ client: string; flow: string; ok: boolean; why?: string }>

it('OAuth clients from npm pass through every flow they know, unmodified', async () => {
  const home = await nodeEnvironmentFor(join(import.meta.dirname, 'clients'))
  await using harness = await createHarness()
  const tenant = harness.createTenant({
    policy: { poll_interval: 1 },
    applications: [
      { name: 'web', redirect_uris: ['http://127.0.0.1:8765/callback'] },
      { name: 'spa', public: true, redirect_uris: ['http://127.0.0.1:8765/callback'] },
    ],
  })
  const [agent] = tenant.agents

  const { stdout, stderr } = await runNode(home, 'test/interop/clients/flows.mjs', {
    ISSUER: tenant.urls.tenant,
    API: tenant.urls.api,
    CONTROL: `${harness.issuer}/_harness/tenants/${tenant.tenant}`,
    CONTROL_TOKEN: harness.controlToken,
    AGENT_ID: agent?.client_id ?? '',
    AGENT_SECRET: agent?.client_secret ?? '',
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
          `${ok ? 'ok  ' : 'FAIL'} ${client.padEnd(34)} ${flow}${why ? `: ${why}` : ''}`,
      )
      .join('\n'),
  )
  expect(rows.filter(({ ok }) => !ok)).toEqual([])
  expect(rows.length, stderr).toBe(15)
}, 300_000)
