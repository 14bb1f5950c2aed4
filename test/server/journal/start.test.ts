import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { lumoauthHarness, Running, root } from '../../support/running.ts'

let folder: string
let journal: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-journal-'))
  journal = join(folder, 'journal.jsonl')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const args = () => ['start', '--json', '--port', '0', '--api-port', '0', '--journal', journal]

const start = () => lumoauthHarness(args())

describe('start --journal', () => {
  it('rejects a file that another process has open, with one line', async () => {
    await using first = start()
    await first.prints('stdout', /\n/)
    await using second = start()

    expect(await second.ends()).toBe(2)

    expect(second.stderr).toMatch(/^lumoauth-harness: the journal .* in use by process \d+.*\n$/)
  }, 30_000)

  it('continues after SIGKILL, and says that it dropped an incomplete line', async () => {
    await using first = start()
    await first.prints('stdout', /\n/)
    first.signal('SIGKILL')
    await first.ends()
    appendFileSync(journal, '{"sum":"')

    await using second = start()

    await second.prints('stdout', /\n/)
    expect(second.stderr).toMatch(/journal\.jsonl:\d+: dropped a last line that was cut off\n$/)
  }, 30_000)

  it('never sends a decision, not even to an event stream, before it is on disk', async () => {
    await using running = new Running(process.execPath, [
      '--import',
      `${root}/test/support/slow-disk.ts`,
      `${root}/scenarios/cli.ts`,
      ...args(),
    ])
    const ready = JSON.parse((await running.prints('stdout', /^.*\n/))[0])
    const { approve, watch } = await waiting(ready)
    const seen = await watch()
    running.signal('SIGUSR2')
    await running.prints('stderr', /the disk stands still/)

    const answer = approve()
    await running.prints('stderr', /the disk delays a write/)
    // Requests refused before a seat are answered too, but only after what was queued before them.
    for (let count = 0; count < 5; count += 1) await nonsense(ready.issuer)

    expect(seen()).not.toContain('permission.approved')
    running.signal('SIGUSR2')
    expect((await answer).status).toBe(200)
    await vi.waitUntil(() => seen().includes('permission.approved'), 10_000)
  }, 30_000)
})

type Ready = Readonly<
  Record<'issuer' | 'tenant' | 'client_id' | 'client_secret' | 'control_token', string>
>

/** A request that waits for a person, and that person’s page with its event stream. */
const waiting = async ({ issuer, tenant, client_id, client_secret, control_token }: Ready) => {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  const post = async (path: string, token: string, body: object | URLSearchParams): Promise<any> =>
    (
      await fetch(issuer + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          ...(body instanceof URLSearchParams ? {} : { 'content-type': 'application/json' }),
        },
        body: body instanceof URLSearchParams ? body : JSON.stringify(body),
      })
    ).json()
  const base = `/t/${tenant}/api/v1`
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret })
  const { access_token: agent } = await post(`${base}/oauth/token`, '', form)
  const { task_id } = await post(`${base}/jit/task`, agent, {})
  const authorization_details = { type: 'user_data', actions: ['read'] }
  const { request_id } = await post(`${base}/jit/request`, agent, {
    task_id,
    authorization_details,
  })
  const ask = (path: string, body?: object, headers: Record<string, string> = {}) =>
    fetch(`${issuer}/console/${tenant}${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { origin: issuer, 'content-type': 'application/json', ...headers },
    })
  const opened = await ask('/session', { control_token })
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? ''
  const { csrf_token } = (await opened.json()) as { csrf_token: string }
  return {
    approve: () =>
      ask(`/requests/${request_id}/approve`, {}, { cookie, 'x-csrf-token': csrf_token }),
    watch: async () => {
      const { body } = await ask('/events', undefined, { cookie })
      let heard = ''
      const listen = async () => {
        for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? []) heard += text
      }
      listen().catch(() => {})
      await vi.waitUntil(() => heard.includes('event: hello'))
      return () => heard
    },
  }
}

/** Sends bytes that are not HTTP, and waits until the server closes the socket. */
const nonsense = (origin: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    socket.on('error', reject).on('close', () => resolve())
    socket.resume().write('nonsense\r\n\r\n')
  })
