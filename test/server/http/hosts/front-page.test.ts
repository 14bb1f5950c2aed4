import { describe, expect, it } from 'vitest'
import { createHarness } from '../../../../server/index.ts'

const linksOf = (html: string, base: string) =>
  [...html.matchAll(/href="([^"]+)"/g)].map(([, href = '']) => new URL(href, base).href)

describe('GET / of a socket', () => {
  it.each(['issuer', 'api'] as const)('links what is there, for the %s', async (seat) => {
    await using harness = await createHarness({ tenants: [{ tenant: 'acme' }] })
    const origin = harness[seat]

    const answer = await fetch(`${origin}/`)

    const html = await answer.text()
    const links = linksOf(html, origin)
    const statuses = await Promise.all(links.map(async (it) => (await fetch(it)).status))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(html).toContain('for tests only')
    expect(links.length).toBeGreaterThan(2)
    // The documents ask for a token.
    expect(links.filter((_, at) => ![200, 401].includes(statuses[at] ?? 0))).toEqual([])
  })

  it('has HEAD, and leaves every other path and method as they are', async () => {
    await using harness = await createHarness()

    const head = await fetch(harness.issuer, { method: 'HEAD' })
    const post = await fetch(harness.issuer, { method: 'POST' })
    const other = await fetch(`${harness.issuer}/elsewhere`)

    expect([head.status, post.status, other.status]).toEqual([200, 404, 404])
  })
})

describe('GET /console', () => {
  it('lists every tenant, and each link leads somewhere', async () => {
    await using harness = await createHarness({ tenants: [{ tenant: 'acme' }, { tenant: 'b' }] })

    const html = await (await fetch(`${harness.issuer}/console`)).text()

    const links = linksOf(html, harness.issuer)
    const statuses = await Promise.all(links.map(async (it) => (await fetch(it)).status))
    expect(links).toContain(`${harness.issuer}/console/acme`)
    expect(links).toContain(`${harness.issuer}/console/b`)
    expect(statuses.filter((it) => it !== 200)).toEqual([])
  })

  it('leads to the only tenant, and says so where there is none', async () => {
    await using one = await createHarness({ tenants: [{ tenant: 'acme' }] })
    await using none = await createHarness()

    const led = await fetch(`${one.issuer}/console`)

    expect(led.url).toBe(`${one.issuer}/console/acme`)
    expect(await (await fetch(`${none.issuer}/console`)).text()).toContain('There is no tenant yet')
  })
})
