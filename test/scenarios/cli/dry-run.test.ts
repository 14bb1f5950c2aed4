import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { lumoauthHarness } from '../../support/running.ts'

it('prints every request, probes first, and sends none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dry-run-'))
  const target = join(folder, 'target.yaml')
  // No server listens at the discard port, so every request would fail.
  await writeFile(
    target,
    `issuer: { url: 'http://127.0.0.1:9', tenant: acme-corp }
agents:
  - { name: report-bot, client_id_env: NOBODYS_ID, client_secret_env: NOBODYS_SECRET }
`,
  )

  const options = ['--target', target, '--only', 'challenge', '--dry-run']
  await using running = lumoauthHarness(['check', 'issuer', ...options])
  const code = await running.ends()
  await rm(folder, { recursive: true })

  expect(running.stderr).toBe('')
  expect(code).toBe(0)
  expect(running.stdout.split('\n').slice(0, 4)).toEqual([
    'To find out what the issuer can do',
    '  GET http://127.0.0.1:9/t/acme-corp/api/v1/.well-known/oauth-authorization-server',
    '  GET http://127.0.0.1:9/orgs/acme-corp/api/v1/.well-known/oauth-authorization-server',
    '  GET http://127.0.0.1:9/t/acme-corp/api/v1/.well-known/jwks.json',
  ])
  expect(running.stdout).toMatch(/\n\d+ requests to the issuer; none was sent\n$/)
}, 60_000)
