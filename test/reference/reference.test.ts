import { existsSync, globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { tenantsSchema } from '../../scenarios/cli/tenants-schema.ts'
import { policySchema } from '../../scenarios/policies/schema.ts'
import { targetSchema } from '../../scenarios/targets/real/target-file.ts'
import { createHarness } from '../../server/index.ts'
import { errorCodes } from '../../server/wire/error-codes.ts'
import { TenantSeed } from '../../server/wire/index.ts'
import { root } from '../support/running.ts'
import { membersOf, variantsOf } from './declarations.ts'
import { commandsOf, referencePages } from './pages.ts'

const pages = await referencePages()
const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))

/** The names in the first column of a page. */
const namesOn = (page: string): string[] =>
  [...(pages.get(page) ?? '').matchAll(/^\| `([^`]+)` \|/gm)].map(([, it = '']) => it)

describe('the reference pages', () => {
  it.each([...pages])('%s is what the declarations say', async (name, text) => {
    expect(await readFile(join(root, name), 'utf8')).toBe(text)
  })

  it('link files that exist', () => {
    const dead = [...pages].flatMap(([name, text]) =>
      [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)]
        .map(([, link = '']) => join(root, dirname(name), link))
        .filter((file) => !existsSync(file)),
    )

    expect(dead).toEqual([])
  })

  it('have no row without a meaning', () => {
    const empty = [...pages].flatMap(([name, text]) =>
      [...text.matchAll(/^\| ([^|]+) \|\s+\|/gm)].map(([, row]) => `${name}: ${row}`),
    )

    expect(empty).toEqual([])
  })

  it('list every option of createHarness', async () => {
    const message = await createHarness({ zzzzzzzz: 1 } as never).catch(String)
    const [, all = ''] = /; expected (.*)$/.exec(String(message)) ?? []

    expect(all.split(', ').length).toBeGreaterThan(15)
    expect(namesOn('server/reference/options.md')).toEqual(expect.arrayContaining(all.split(', ')))
  })

  it('list every key of a tenant', () => {
    expect(namesOn('server/reference/tenant.md')).toEqual(
      expect.arrayContaining(Object.keys(TenantSeed.shape)),
    )
  })
})

type Json = Readonly<{ [keyword: string]: unknown }>

/** Each member of the objects of a schema that has no description. */
const undescribed = (schema: unknown, place = ''): string[] => {
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema as Json).flatMap(([keyword, value]) =>
    keyword !== 'properties'
      ? undescribed(value, `${place}/${keyword}`)
      : Object.entries(value as Record<string, Json>).flatMap(([name, member]) => [
          ...(member.description === undefined ? [`${place}/${name}`] : []),
          ...undescribed(member, `${place}/${name}`),
        ]),
  )
}

describe('every declaration has a description', () => {
  it.each([
    ['tenants.yaml', tenantsSchema()],
    ['policy.yaml', policySchema()],
    ['target.yaml', targetSchema()],
  ])('keys of %s', (_, schema) => {
    expect(undescribed(schema)).toEqual([])
  })

  it('is noticed where it is missing', () => {
    expect(
      undescribed({ items: { properties: { a: { type: 'string' }, b: { description: 'B.' } } } }),
    ).toEqual(['/items/a'])
  })

  it('options of createHarness, members of harness and tenant, events', () => {
    const of = (file: string, type: string) => membersOf(join(root, file), type)
    const all = [
      ...of('server/harness/harness.ts', 'HarnessOptions'),
      ...of('server/harness/harness.ts', 'Harness'),
      ...['TestTenant', 'TestClock', 'TestApprover'].flatMap((it) =>
        of('server/harness/test-tenant.ts', it),
      ),
      ...variantsOf(join(root, 'server/issuer/event.ts'), 'Event'),
    ]

    expect(all.length).toBeGreaterThan(80)
    expect(all.filter(({ says }) => says.length < 8).map(({ name }) => name)).toEqual([])
  })

  it('commands, their arguments and options', () => {
    const all = commandsOf().flatMap(([name, command]) => [
      [name, command.description()] as const,
      ...command.options.map((it) => [`${name} ${it.flags}`, it.description] as const),
      ...command.registeredArguments.map((it) => [`${name} ${it.name()}`, it.description] as const),
    ])

    expect(all.length).toBeGreaterThan(100)
    expect(all.filter(([, says]) => says.length < 4).map(([name]) => name)).toEqual([])
  })

  it('error codes, each of which the sources use', async () => {
    const files = globSync('server/**/*.ts', { cwd: root }).filter(
      (it) => !it.endsWith('wire/error-codes.ts'),
    )
    const text = (await Promise.all(files.map((it) => readFile(join(root, it), 'utf8')))).join('\n')

    expect(
      Object.keys(errorCodes).filter(
        (it) => !text.includes(`'${it}'`) && !text.includes(`  ${it}: `),
      ),
    ).toEqual([])
  })
})

describe('tenants.schema.json', () => {
  const fits = new Ajv({
    strict: false,
    formats: { email: true, uri: true, 'date-time': true },
  }).compile(tenantsSchema())

  it.each([
    ['one tenant', { tenant: 'acme-corp', agents: [{ name: 'bot' }] }, true],
    ['a list of tenants', { tenants: [{ tenant: 'acme-corp' }] }, true],
    ['the smallest policy', { policy: { max_ttl: 'PT5M' }, misbehave: ['network-reset'] }, true],
    ['a key that is not known', { tenants: [{ tenant: 'acme-corp', agnets: [] }] }, false],
    ['both forms at once', { tenants: [{}], tenant: 'acme-corp' }, false],
    ['a dialect that is not known', { dialect: { pkce: 'never' } }, false],
  ])('judges %s as start --config does', (_, value, expected) => {
    expect(fits(value), JSON.stringify(fits.errors)).toBe(expected)
  })
})

describe('the page of the server', () => {
  it('lists every entry point', async () => {
    const page = await readFile(join(root, 'server/README.md'), 'utf8')
    const [, part = ''] = page.split('\n## Entry points\n')
    const names = [...part.matchAll(/^\| `([^`]+)`/gm)].map(([, it]) => it)
    const all = Object.keys(exports)
      .filter((it) => it !== './package.json')
      .map((it) => it.replace(/^\./, 'lumoauth-harness'))

    expect(names.sort()).toEqual(all.sort())
  })
})

describe('the page of errors', () => {
  it('quotes messages that exist in the sources', async () => {
    const text = await readFile(join(root, 'TROUBLESHOOTING.md'), 'utf8')
    const [, ours = ''] = text.split('\n## Of the package\n')
    const rows = (ours.split('\n## ')[0] ?? '').match(/^\| `[^`]+`/gm) ?? []
    const quoted = rows.map((row) => row.slice(3, -1).split(' … '))
    const files = globSync('{server,client,scenarios}/**/*.ts', { cwd: root })
    const all = (await Promise.all(files.map((it) => readFile(join(root, it), 'utf8')))).join('\n')

    expect(quoted.length).toBeGreaterThanOrEqual(20)
    expect(quoted.flat().filter((it) => !all.includes(it))).toEqual([])
  })
})
