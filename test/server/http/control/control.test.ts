import { expect, it } from 'vitest'
import { createHarness } from '../../../../server/index.ts'

const harness = await createHarness({ listen: false })

const put = async (name: string, seed: object = {}) => {
  const answer = await harness.fetch(`${harness.issuer}/_harness/tenants/${name}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${harness.controlToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(seed),
  })
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  return { status: answer.status, body: (await answer.json()) as any }
}

it('refuses to create a tenant with an invalid name', async () => {
  const { status, body } = await put('Acme%2FCorp')

  expect(status).toBe(400)
  expect(body.error_description).toMatch(/^path: expected a slug/)
})

it('refuses a body that names another tenant than the path', async () => {
  const { status, body } = await put('one', { tenant: 'other' })

  expect(status).toBe(400)
  expect(body.error_description).toMatch(/^tenant: expected one/)
})

it('refuses to create a tenant that exists, and leaves it unchanged', async () => {
  const { body: first } = await put('twice')

  const { status } = await put('twice')

  expect(status).toBe(409)
  const token = await harness.fetch(`${first.urls.tenant}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: first.agents[0].client_id,
      client_secret: first.agents[0].client_secret,
    }),
  })
  expect(token.status).toBe(200)
})

it('creates a tenant with the name in the path and the seeds in the body', async () => {
  const { status, body } = await put('acme', { tenant: 'acme', agents: [{ name: 'intern' }] })

  expect(status).toBe(201)
  expect(body).toMatchObject({ tenant: 'acme', agents: [{ name: 'intern' }] })
})
