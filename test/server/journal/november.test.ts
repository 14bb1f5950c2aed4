import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHarness } from '../../../server/index.ts'
import { JournalFile } from '../../../server/journal/file.ts'
import { addChecksum } from '../../../server/journal/line.ts'
import { generateSigningKey } from '../../../server/signing/keys.ts'

/**
 * What the program of 28 November 2026 (commit f196fff) wrote: a tenant that worked, a day that
 * passed, and a tenant that works. The statuses below are those it gave.
 */
const november = new URL('november.jsonl', import.meta.url)
const requests = {
  jit_514ef2089f83f968: 'approved',
  jit_bdac4e4afa489243: 'approved',
  jit_be59634a58e305f1: 'approved',
  jit_d87309d624a9f56d: 'denied',
  jit_627c40fa0681b204: 'pending',
  jit_453af3b78083a194: 'revoked',
}
const [active, completed] = ['task_6b1d6282d820cada', 'task_13a3f151d7602839']

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'november-'))
  path = join(folder, 'journal.jsonl')
  copyFileSync(november, path)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a journal written by the November release', () => {
  it.each([0, 1, 10, 10_000])(
    'is opened and rewritten, with its newest %i entries',
    async (newestEntries) => {
      const first = await JournalFile.open(path, { newestEntries })
      const before = first.take('acme')
      await first.close()

      const second = await JournalFile.open(path, { newestEntries })
      const after = second.take('acme')
      await second.close()

      expect(readFileSync(path, 'utf8')).toMatch(/^\{"sum":"[0-9a-f]{8}","format":2\}\n/)
      for (const past of [before, after]) {
        expect(past?.history.last).toBe(32)
        expect(past?.history.entries).toHaveLength(Math.min(newestEntries, 32))
        expect(past?.history.clockMoved).toBe(86_400)
        expect([...(past?.history.state.tasks.keys() ?? [])]).toEqual([active, completed])
        expect([...(past?.history.state.requests.keys() ?? [])]).toEqual(Object.keys(requests))
      }
      expect(after?.history.state).toEqual(before?.history.state)
      expect(after?.changes).toEqual(before?.changes)
    },
  )

  it('gives the same answers', async () => {
    const [signing_key, platform_key] = await Promise.all([
      generateSigningKey('ES256'),
      generateSigningKey('ES256'),
    ])
    const secrets = { 'report-bot': 'november', 'documents-api': 's', 'webhook secret': 's' }
    writeFileSync(
      `${path}.keys`,
      addChecksum({
        signing_key: signing_key.privateJwk,
        platform_key: platform_key.privateJwk,
        tenants: { acme: { secrets, keys: [signing_key.privateJwk] } },
      }),
    )
    await using harness = await createHarness({
      listen: false,
      journal: path,
      algorithm: 'ES256',
      tenants: [{ tenant: 'acme' }],
    })
    const [tenant] = harness.tenants
    const base = tenant?.urls.tenant
    const ask = async (url: string, init: RequestInit) =>
      // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
      (await harness.fetch(url, init)).json() as Promise<any>
    const { access_token } = await ask(`${base}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'report-bot',
        client_secret: 'november',
      }),
    })
    const headers = { authorization: `Bearer ${access_token}` }
    const statuses = await Promise.all(
      Object.keys(requests).map(async (id) => {
        const { status } = await ask(`${base}/jit/request/${id}/status`, { headers })
        return [id, status]
      }),
    )

    expect(Object.fromEntries(statuses)).toEqual(requests)
    expect(tenant?.clock.now()).toBe(1_767_312_000)
    expect(tenant?.journal().slice(0, 32).at(-1)).toMatchObject({
      seq: 32,
      type: 'task.completed',
      taskId: completed,
    })
  })
})
