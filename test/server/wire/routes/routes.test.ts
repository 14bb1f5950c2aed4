import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createHarness } from '../../../../server/index.ts'
import { pathsOf, type Route, routes } from '../../../../server/wire/index.ts'

/** Every route of LumoAuth in its public docs, SDKs and OpenAPI document, one row a prefix. */
type Row = Readonly<{ name: string; method: string; path: string; dialect: string; source: string }>
const rows = JSON.parse(
  readFileSync(new URL('./lumoauth-routes.json', import.meta.url), 'utf8'),
) as Row[]

const harness = await createHarness({ listen: false, algorithm: 'ES256' })
const tenant = harness.createTenant({
  tenant: 'acme',
  mcp_servers: [{ server_id: 'files', name: 'Files', resource_uri: 'https://files.example/mcp' }],
})

const urlOf = (path: string) =>
  harness.issuer +
  path
    .replace('{tenant}', tenant.tenant)
    .replace('{orgId}', tenant.tenant)
    .replace('{serverId}', 'files')
    .replace(/\{\w+\}/g, 'unknown')

/** The response to a request without credentials and without a body: any status is fine. */
const answered = async ({ method, path }: Row) => {
  const response = await harness.fetch(urlOf(path), { method, redirect: 'manual' })
  return { status: response.status, text: await response.text() }
}

const statuses = new Map<string, Map<string, number>>()
for (const row of rows) {
  const { status } = await answered(row)
  const name = row.name.replace(/^(?:alias|legacy)\./, '').replace(/\.root$/, '')
  const line = statuses.get(name) ?? new Map<string, number>()
  line.set(row.dialect, status)
  statuses.set(name, line)
}

describe('every known route of LumoAuth', () => {
  it('has a status without credentials in the printed table', () => {
    const dialects = [...new Set(rows.map(({ dialect }) => dialect))]
    const table = [...statuses].map(([name, line]) =>
      [name.padEnd(34), ...dialects.map((it) => String(line.get(it) ?? '').padEnd(12))].join(''),
    )

    console.log(
      [[' '.repeat(34), ...dialects.map((it) => it.padEnd(12))].join(''), ...table].join('\n'),
    )

    expect(rows.length).toBeGreaterThan(100)
  })

  it.each(rows)('$method $path is implemented', async (row) => {
    const { status, text } = await answered(row)

    // AAuth is out of scope (CONTRACT.md#aauth) and answers 501; every other route is implemented.
    if (row.name.includes('aauth')) {
      expect({ status, error: JSON.parse(text).error }).toEqual({
        status: 501,
        error: 'not_implemented',
      })
    } else {
      expect([404, 405, 500, 501], text).not.toContain(status)
    }
  })

  it('that is out of scope is not advertised', async () => {
    for (const document of ['openid-configuration', 'oauth-authorization-server']) {
      const response = await harness.fetch(`${tenant.urls.tenant}/.well-known/${document}`)

      expect(await response.text()).not.toMatch(/aauth/i)
    }
  })
})

describe('every route of the issuer', () => {
  const all = Object.entries(routes) as [string, Route][]

  it.each(all.filter(([, { seat }]) => seat === 'issuer'))(
    '%s has both prefixes',
    (_name, route) => {
      const paths = pathsOf(route)

      expect(paths).toContain(`/t/:tenant/api/v1${route.path}`)
      expect(paths).toContain(`/orgs/:tenant/api/v1${route.path}`)
    },
  )
})
