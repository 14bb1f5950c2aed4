import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { apiPages } from '../reference/api.ts'
import { root } from '../support/running.ts'
import { createProject } from './project.ts'

const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const snapshot = join(root, 'test/package/public-types.txt')

/**
 * Every export of every entry point, as the built declarations have it, so that a change to what users
 * import is seen in the change itself. UPDATE=1 writes it anew. Schemas of `./contract` are named only.
 */
it('the public types equal public-types.txt', async () => {
  await using project = await createProject(inject('tarball'))
  const folder = join(project.folder, 'node_modules/lumoauth-harness')
  const lines: string[] = []
  for (const [path, entry] of Object.entries<{ types: string }>(exports)) {
    if (path === './package.json') continue
    const found = await exportsOf(join(folder, entry.types))
    lines.push(`## lumoauth-harness${path.slice(1)}`, '')
    for (const [name, text] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
      lines.push(path === './contract' ? (text.split(/[:=({<]/)[0] ?? name).trim() : text)
    }
    lines.push('')
  }
  const text = lines.join('\n')
  if (process.env.UPDATE !== undefined) await writeFile(snapshot, text)

  expect(text).toBe(await readFile(snapshot, 'utf8'))
}, 120_000)

/** `npm run docs:api` writes them, and so does UPDATE=1. */
it('the pages of the TypeScript API are what the built declarations say', async () => {
  await using project = await createProject(inject('tarball'))
  const pages = apiPages(join(project.folder, 'node_modules/lumoauth-harness'))

  expect(pages.size).toBe(Object.keys(exports).length - 1)
  for (const [name, text] of pages) {
    if (process.env.UPDATE !== undefined) await writeFile(join(root, name), text)
    expect(await readFile(join(root, name), 'utf8'), name).toBe(text)
    const silent = text
      .split('\n## ')
      .slice(1)
      .filter((it) => /^[^\n]*\n\n(?:```|$)/.test(it))
    expect(
      silent.map((it) => it.split('\n', 1)[0]),
      name,
    ).toEqual([])
  }
}, 120_000)

/** The exports of a declaration file, each with its declaration, by following what it exports from others. */
const exportsOf = async (file: string): Promise<Map<string, string>> => {
  const text = (await readFile(file, 'utf8'))
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\/\/.*$/gm, '')
  const found = new Map<string, string>()
  const statements = text.split(/^(?=(?:export|import|declare|type|interface|const) )/m)
  for (const statement of statements) {
    const from = /\bfrom ['"](\.[^'"]+)['"];?\s*$/.exec(statement)?.[1]
    const target = from && join(dirname(file), from.replace(/\.(?:js|ts)$/, '.d.ts'))
    const list = /^export (?:type )?\{([\s\S]*?)\}/.exec(statement)?.[1]
    if (target && statement.startsWith('export *')) {
      for (const [name, declared] of await exportsOf(target)) found.set(name, declared)
    } else if (list !== undefined) {
      const all = target ? await exportsOf(target) : new Map<string, string>()
      for (const item of list.split(',')) {
        const [original = '', name = original] = item
          .trim()
          .replace(/^type /, '')
          .split(/ as /)
        if (original !== '') found.set(name, all.get(original) ?? `export ${name}, of another file`)
      }
    } else {
      const name =
        /^export (?:declare )?(?:abstract )?(?:const|function|class|type|interface) (\w+)/.exec(
          statement,
        )?.[1]
      if (name === undefined) continue
      // An overloaded function has several statements.
      const declared = statement.replace(/\s+/g, ' ').trim()
      found.set(name, found.has(name) ? `${found.get(name)}\n${declared}` : declared)
    }
  }
  return found
}
