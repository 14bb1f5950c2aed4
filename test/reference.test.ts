import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createHarness } from '../server/index.ts'
import { TenantSeed } from '../server/wire/index.ts'
import { controlRoutes } from '../server/wire/routes/control.ts'
import { root } from './support/running.ts'

const page = await readFile(join(root, 'server/README.md'), 'utf8')
const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))

/** The names in the first column of the table below a heading. */
const namesBelow = (heading: string): string[] => {
  const [, part = ''] = page.split(`\n## ${heading}\n`)
  const rows = (part.split('\n## ')[0] ?? '').match(/^\| `[^|]+/gm) ?? []
  return rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, it]) => it ?? ''))
}

describe('the page of the server', () => {
  it('lists every option of createHarness', async () => {
    const message = await createHarness({ zzzzzzzz: 1 } as never).catch(String)
    const [, all = ''] = /; expected (.*)$/.exec(String(message)) ?? []

    expect(all.split(', ').length).toBeGreaterThan(15)
    expect(namesBelow('createHarness')).toEqual(expect.arrayContaining(all.split(', ')))
  })

  it('lists every key of a tenant', () => {
    expect(namesBelow('The keys of a tenant').sort()).toEqual(Object.keys(TenantSeed.shape).sort())
  })

  it('lists every endpoint of the control plane', () => {
    const all = Object.values(controlRoutes).map(
      ({ method, path }) => `${method} ${path.replace('/_harness/tenants/:tenant', '…')}`,
    )

    expect(namesBelow('Control plane')).toEqual(all)
  })

  it('lists every entry point', () => {
    const all = Object.keys(exports)
      .filter((it) => it !== './package.json')
      .map((it) => it.replace(/^\./, 'lumoauth-harness'))

    expect(namesBelow('Entry points').sort()).toEqual(all.sort())
  })
})

describe('the page of errors', () => {
  it('quotes messages that the sources have', async () => {
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
