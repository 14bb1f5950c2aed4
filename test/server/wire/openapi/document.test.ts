import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { expressApps } from '../../../../server/express/index.ts'
import { curlOf } from '../../../../server/http/control/docs-curl.ts'
import { createHarness } from '../../../../server/index.ts'
import { pathsOf, type Route, routes } from '../../../../server/wire/index.ts'
import type { OpenApi, Operation, PathItem } from '../../../../server/wire/openapi/document.ts'
import { supertest as request } from '../../../support/supertest.ts'

const harness = await createHarness({ listen: false, algorithm: 'ES256' })
const response = await harness.fetch(`${harness.issuer}/openapi.json`)
const text = await response.text()
const document = JSON.parse(text) as OpenApi
const known = Object.entries(routes) as [string, Route][]
/** AAuth answers 501: it is not documented. */
const all = known.filter(([name]) => !/^(?:aauth|admin)\./.test(name))

/** Every operation of the document, under `METHOD path`. */
const operations = new Map(
  Object.entries(document.paths).flatMap(([path, item]) => {
    const { servers: _, ...methods } = item as PathItem & Record<string, Operation>
    return Object.entries(methods).map(([method, it]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      it,
    ])
  }),
)

const callsOf = (route: Route) =>
  pathsOf(route).map((path) => `${route.method} ${path.replace(/\/:(\w+)/g, '/{$1}')}`)

describe('the OpenAPI document', () => {
  it('is served as JSON, to every origin', () => {
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch('application/json')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
  })

  it('contains only existing routes', () => {
    const calls = all.flatMap(([, route]) => callsOf(route))

    // Issuer and API share the paths of the resource metadata.
    expect([...operations.keys()].sort()).toEqual([...new Set(calls)].sort())
  })

  it('omits AAuth, which is not implemented', () => {
    expect(all.length).toBeLessThan(known.length)
    expect(text).not.toMatch(/aauth/i)
  })

  it.each(all)('contains %s with all its paths', (name, route) => {
    const [first, ...others] = callsOf(route).map((call) => operations.get(call))

    expect(first).toMatchObject({ operationId: name, summary: route.summary })
    const shared = name === 'resource.metadata' ? 'discovery.resource.' : `${name}.`
    for (const other of others) expect(other?.operationId).toMatch(shared)
    for (const it of [first, ...others]) {
      const statuses = Object.keys(it?.responses ?? {})
      const wanted = Object.keys(route.answers)
      expect(statuses).toEqual(expect.arrayContaining(wanted))
      // Every operation that reads input or needs credentials can be refused.
      expect(statuses.some((status) => /^[45]/.test(status))).toBe(true)
      const media = Object.keys(it?.requestBody?.content ?? {})
      if (route.form) {
        const json = route.formOrJson ? ['application/json'] : []
        expect(media).toEqual(['application/x-www-form-urlencoded', ...json])
      } else expect(media).toEqual(route.body ? ['application/json'] : [])
    }
  })

  it('is valid OpenAPI 3.1', async () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    expect(await new Validator().validate(text)).toEqual({ valid: true })
  }, 30_000)

  it('has unique operationIds and paths', () => {
    const ids = [...operations.values()].map(({ operationId }) => operationId)
    // Two templates that differ in their names only are the same path (OpenAPI 3.1 §4.8.8).
    const templates = Object.keys(document.paths).map((path) => path.replace(/\{\w+\}/g, '{}'))

    expect(new Set(ids).size).toBe(ids.length)
    expect(new Set(templates).size).toBe(templates.length)
  })

  it('declares every path parameter, and every tag and security scheme it uses', () => {
    const tags = document.tags.map(({ name }) => name)
    const ways = Object.keys(document.components.securitySchemes)
    for (const [call, { parameters = [], tags: tagged, security }] of operations) {
      const named = [...call.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)

      expect(parameters.filter((it) => it.in === 'path').map(({ name }) => name)).toEqual(named)
      expect(tags).toEqual(expect.arrayContaining([...tagged]))
      for (const way of security) expect(ways).toEqual(expect.arrayContaining(Object.keys(way)))
    }
  })

  it('references every component, and only existing ones', () => {
    const held = Object.entries(document.components)
      .filter(([kind]) => kind !== 'securitySchemes')
      .flatMap(([kind, of]) => Object.keys(of).map((name) => `#/components/${kind}/${name}`))
    const referred = new Set([...text.matchAll(/"\$ref": "([^"]+)"/g)].map(([, ref]) => ref))

    expect([...referred].sort()).toEqual(held.sort())
  })

  it('has schemas that compile', () => {
    const ajv = new Ajv2020({ strict: false })
    formats.default(ajv)
    ajv.addSchema({ $id: 'document:/', ...document })

    for (const name of Object.keys(document.components.schemas)) {
      const check = ajv.getSchema(`document:/#/components/schemas/${name}`)
      expect(check, name).toBeTypeOf('function')
    }
  }, 30_000)

  it('has separate schemas for what may be sent and what is returned', () => {
    const { Policy, PolicyInput, RequestPermission } = document.components.schemas

    expect(Policy?.required).toContain('max_ttl')
    expect(PolicyInput?.required).toBeUndefined()
    expect(RequestPermission?.required).toEqual(['task_id'])
    expect(document.components.schemas.RequestPermissionInput).toBeUndefined()
  })

  it('contains no secret', () => {
    expect(text).not.toContain(harness.controlToken)
  })
})

describe('the page of the document', () => {
  it('contains every route and every schema', async () => {
    const page = await (await harness.fetch(`${harness.issuer}/docs`)).text()

    for (const [name] of all) expect(page).toContain(`<article id="${name}"`)
    for (const name of Object.keys(document.components.schemas)) {
      expect(page).toContain(`<article id="schema-${name}"`)
    }
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => `id="${id}"`)
    expect(targets.filter((it) => !page.includes(it))).toEqual([])
  })

  it('shows for each route its source, and a call by curl', async () => {
    const page = await (await harness.fetch(`${harness.issuer}/docs`)).text()
    const articles = page.split('<article id="').slice(1)

    for (const [name, { method, source }] of all) {
      const article = articles.find((it) => it.startsWith(`${name}"`)) ?? ''
      expect(article, name).toContain(`<code>curl ${method === 'GET' ? '' : `-X ${method} `}`)
      expect(article, name).toMatch(source.startsWith('RFC') ? /href="https:/ : /#contract-/)
    }
  })

  it.for(all.filter(([, { body }]) => body !== undefined))(
    'shows a body that %s accepts',
    ([name, { body, method }]) => {
      const [path = '', item = {}] =
        Object.entries(document.paths).find(([, it]) =>
          Object.values(it).some((operation) => (operation as Operation).operationId === name),
        ) ?? []
      const operation = item[method.toLowerCase() as 'post'] as Operation
      const curl = curlOf(document, { method, path, at: harness.issuer, operation })
      const [, json = ''] = /-d '(.*)'$/s.exec(curl) ?? []

      expect(body?.safeParse(JSON.parse(json)).error?.issues ?? [], json).toEqual([])
    },
  )

  it('runs only its own script, and loads nothing from other origins', async () => {
    const { headers, status } = await harness.fetch(`${harness.issuer}/docs`)
    const page = await (await harness.fetch(`${harness.issuer}/docs`)).text()

    expect(status).toBe(200)
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'/,
    )
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe|https?:/)
    expect(page).not.toMatch(/<script(?! type="module" src="\/console\/)|<style|\sstyle=|\son\w+=/i)
    const loaded = [...page.matchAll(/(?:src|<link[^>]*href)="([^"]+)"/g)].map(([, url]) => url)
    expect(loaded.length).toBeGreaterThan(2)
    for (const url of loaded)
      await request(expressApps(harness).issuer)
        .get(url ?? '')
        .expect(200)
  })
})
