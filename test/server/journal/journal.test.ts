import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHarness, type Harness } from '../../../server/index.ts'

let folder: string
let journal: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'))
  journal = join(folder, 'journal.jsonl')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** The same harness as before, as after a restart on the same ports. */
const started = () =>
  createHarness({
    listen: false,
    journal,
    algorithm: 'ES256',
    tenants: [{ tenant: 'acme', clock: '2026-01-01T00:00:00Z' }],
  })

const signedIn = async (harness: Harness) => {
  const [tenant] = harness.tenants
  if (!tenant) throw new Error('the harness began with a tenant')
  const [agent] = tenant.agents
  const answer = await harness.fetch(`${tenant.urls.tenant}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: agent?.client_id ?? '',
      client_secret: agent?.client_secret ?? '',
    }),
  })
  const { access_token } = (await answer.json()) as { access_token: string }
  return { tenant, token: access_token }
}

const asked = async <T>(
  harness: Harness,
  token: string,
  method: string,
  url: string,
  body?: object,
) => {
  const answer = await harness.fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as T }
}

type Made = { task_id: string; token_url: string; access_token: string; status: string }

const granted = async (harness: Harness) => {
  const { tenant, token } = await signedIn(harness)
  const { tenant: base } = tenant.urls
  const task = await asked<Made>(harness, token, 'POST', `${base}/jit/task`, {})
  const details = (actions: string[], identifier: string) => ({
    task_id: task.body.task_id,
    authorization_details: { type: 'file_access', actions, identifier },
  })
  const grant = async (actions: string[], identifier: string) => {
    const made = await asked<Made>(
      harness,
      token,
      'POST',
      `${base}/jit/request`,
      details(actions, identifier),
    )
    return (await asked<Made>(harness, token, 'POST', harness.issuer + made.body.token_url)).body
      .access_token
  }
  return { tenant, token, base, taskId: task.body.task_id, grant }
}

describe('a harness with a journal', () => {
  it('has its tenants, tasks, tokens and documents after a restart', async () => {
    const first = await started()
    const { tenant, token, taskId, grant } = await granted(first)
    const read = await grant(['read'], 'doc_9982')
    const write = await grant(['write'], 'doc_9982')
    const { api } = tenant.urls
    await asked(first, write, 'PUT', `${api}/v1/documents/doc_9982`, { title: 'New', body: 'text' })
    tenant.clock.advance('PT1M')
    await first.close()

    await using second = await started()

    const [again] = second.tenants
    expect(again?.agents).toEqual(tenant.agents)
    expect(again?.clock.now()).toBe(tenant.clock.now())
    expect(await asked(second, read, 'GET', `${api}/v1/documents/doc_9982`)).toMatchObject({
      status: 200,
      body: { title: 'New', version: 2 },
    })
    expect(
      await asked(second, token, 'POST', `${tenant.urls.tenant}/jit/task/${taskId}/complete`),
    ).toMatchObject({ status: 200 })
    expect(await asked(second, read, 'GET', `${api}/v1/documents/doc_9982`)).toMatchObject({
      status: 401,
    })
  })

  it('rejects a revoked token after a restart', async () => {
    const first = await started()
    const { tenant, token, base, taskId, grant } = await granted(first)
    const read = await grant(['read'], 'doc_9982')
    await asked(first, token, 'POST', `${base}/jit/task/${taskId}/complete`)
    await first.close()

    await using second = await started()

    const { api } = tenant.urls
    expect(await asked(second, read, 'GET', `${api}/v1/documents/doc_9982`)).toMatchObject({
      status: 401,
      body: { error: 'invalid_token' },
    })
  })

  it('verifies tokens of a rotated key after a restart', async () => {
    const first = await started()
    const { tenant, token } = await signedIn(first)
    const control = `${first.issuer}/_harness/tenants/acme/keys`
    await asked(first, first.controlToken, 'POST', control, {})
    await first.close()

    await using second = await started()

    const { tenant: base } = tenant.urls
    expect(await asked(second, token, 'GET', `${base}/oauth/userinfo`)).toMatchObject({
      status: 200,
    })
    const { body } = await asked<{ keys: unknown[] }>(
      second,
      token,
      'GET',
      `${base}/.well-known/jwks.json`,
    )
    expect(body.keys).toHaveLength(2)
  })

  it('still publishes a key that does not sign yet after a restart', async () => {
    const first = await started()
    await signedIn(first)
    const control = `${first.issuer}/_harness/tenants/acme/keys`
    const made = await asked<{ current: string; published: string[] }>(
      first,
      first.controlToken,
      'POST',
      control,
      { sign: false },
    )
    await first.close()

    await using second = await started()

    const [signs, next] = made.body.published
    expect(signs).toBe(made.body.current)
    const signed = await asked(second, second.controlToken, 'POST', `${control}/${next}/sign`, {})
    expect(signed).toMatchObject({ status: 200, body: { current: next, published: [next, signs] } })
  })

  it('writes no secret and no token into the journal', async () => {
    const harness = await started()
    const { tenant, token, grant } = await granted(harness)
    const jit = await grant(['read'], 'doc_9982')
    await harness.close()

    const text = readFileSync(journal, 'utf8')

    for (const secret of [token, jit, tenant.agents[0]?.client_secret, tenant.webhook_secret]) {
      expect(text).not.toContain(secret)
    }
  })

  it('sends callbacks only once the decision is on disk', async () => {
    const kept: boolean[] = []
    await using harness = await createHarness({
      listen: false,
      journal,
      algorithm: 'ES256',
      tenants: [{ tenant: 'acme' }],
      outbound: {
        resolve: async () => [{ address: '127.0.0.1', family: 4 }],
        send: async () => {
          kept.push(readFileSync(journal, 'utf8').includes('permission.denied'))
          return 204
        },
      },
    })
    const { tenant, token } = await signedIn(harness)
    const { tenant: base } = tenant.urls
    const task = await asked<Made>(harness, token, 'POST', `${base}/jit/task`, {})
    const { body } = await asked<{ request_id: string }>(
      harness,
      token,
      'POST',
      `${base}/jit/request`,
      {
        task_id: task.body.task_id,
        authorization_details: { type: 'user_data', actions: ['read'] },
        callback_url: 'http://localhost/hook',
      },
    )

    await tenant.approver.deny(body)
    await tenant.waitFor('callback.delivered')

    expect(kept).toEqual([true])
  })

  it('opens every tenant of the journal, its own included', async () => {
    const first = await started()
    first.createTenant({ tenant: 'other' })
    await first.close()

    await using second = await started()

    const { body } = await asked(
      second,
      second.controlToken,
      'GET',
      `${second.issuer}/_harness/tenants`,
    )
    expect(body).toEqual({ tenants: ['acme', 'other'] })
  })
})
