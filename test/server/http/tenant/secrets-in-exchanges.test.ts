import { describe, expect, it } from 'vitest'
import { isShownHeader } from '../../../../server/wire/secret-names.ts'
import { type Seed, signedIn } from '../../../support/signed-in.ts'

const seed: Seed = {
  agents: [{ name: 'helper', client_secret: 'helper/secret+9' }],
  applications: [
    { name: 'portal', client_secret: 'portal-secret', redirect_uris: ['http://127.0.0.1/cb'] },
  ],
  api_keys: [{ name: 'batch', key: 'batch-key-0001' }],
  documents: [{ id: 'doc_1', classification: 'internal', title: 'The portal-secret is here' }],
}

/** Requests with a secret in a place that no name marks as secret. */
const places = {
  'a path': (secret: string) => ({ path: `/jit/status/${encodeURIComponent(secret)}` }),
  'a query': (secret: string) => ({ path: `/jit/pending?q=${encodeURIComponent(secret)}` }),
  'a member of JSON': (secret: string) => ({ body: { name: `my key is ${secret}` } }),
  'a list': (secret: string) => ({ body: { name: 'x', tags: [secret] } }),
  'a header field that is shown': (secret: string) => ({ headers: { 'user-agent': secret } }),
  'a header field of a proxy': (secret: string) => ({ headers: { 'x-gateway-auth': secret } }),
}

describe('the recorded exchanges of a tenant', () => {
  it.each(Object.entries(places))('contain no secret of the tenant in %s', async (_, place) => {
    const { tenant, harness, token } = await signedIn({ seed })
    const secrets = [
      ...tenant.agents.map((it) => it.client_secret),
      ...tenant.applications.flatMap((it) => it.client_secret ?? []),
      ...tenant.api_keys.map((it) => it.key),
      tenant.api_client.client_secret,
      tenant.webhook_secret,
      tenant.model.api_key,
    ]
    expect(secrets).toHaveLength(6)

    for (const secret of secrets) {
      const { path = '/jit/task', headers = {}, body } = place(secret) as Sent
      await harness.fetch(tenant.urls.tenant + path, {
        method: path === '/jit/task' ? 'POST' : 'GET',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          ...headers,
        },
        ...(body === undefined && path !== '/jit/task' ? {} : { body: JSON.stringify(body ?? {}) }),
      })
    }

    const shown = JSON.stringify(tenant.exchanges().slice(-secrets.length))
    expect(shown.match(/\*\*\*/g)?.length).toBeGreaterThanOrEqual(secrets.length)
    for (const secret of secrets) {
      expect(shown).not.toContain(secret)
      expect(shown).not.toContain(encodeURIComponent(secret))
    }
  })

  it('contain no secret of the tenant in a response', async () => {
    const { tenant, harness, token } = await signedIn({ seed })

    const response = await harness.fetch(`${tenant.urls.api}/v1/documents`, {
      headers: { authorization: `Bearer ${token}` },
    })

    expect(await response.text()).toContain('portal-secret')
    expect(JSON.stringify(tenant.exchanges().at(-1))).not.toContain('portal-secret')
    expect(tenant.exchanges().at(-1)?.answer.body).toContain('The *** is here')
  })

  it('contain no authorization of a pushed signal, wherever else it is used', async () => {
    const { tenant, harness, token } = await signedIn({ seed })
    const post = (path: string, body: object) =>
      harness.fetch(tenant.urls.tenant + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const delivery = {
      method: 'urn:ietf:rfc:8935',
      endpoint_url: 'http://127.0.0.1:9/in?key=of-the-receiver',
      authorization_header: 'Bearer push-me-0001',
    }

    await post('/ssf/stream', { delivery, events_requested: [] })
    await post('/jit/task', { name: 'with push-me-0001' })

    const shown = JSON.stringify(tenant.exchanges())
    expect(shown).toContain('http://127.0.0.1:9/in?key=***')
    expect(shown).not.toMatch(/push-me-0001|of-the-receiver/)
  })

  it.each(['proxy-authorization', 'x-amz-security-token', 'x-vault-token', 'cookie', 'dpop'])(
    'do not show %s',
    (name) => {
      expect(isShownHeader(name)).toBe(false)
    },
  )
})

type Sent = Readonly<{ path?: string; headers?: Record<string, string>; body?: object }>
