/**
 * `npm run check:docs`: every export that the entry points of the package reach has a docstring
 * where it is declared. test/docstrings.json lists those that still lack one; the list may only
 * become shorter (`node test/docstrings.ts --write`). Every `@throws {Name}` names an error that exists.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parseAst } from 'rolldown/parseAst'
import { root } from './support/running.ts'

const data = join(root, 'test/docstrings.json')

type Declared = Readonly<{ file: string; documented: boolean }>
type Named = Readonly<{ name?: string; value?: string }>
type Statement = Readonly<{
  type: string
  start: number
  source?: { value: string } | null
  exported?: Named | null
  specifiers?: readonly Readonly<{ local: Named; exported: Named; imported?: Named }>[]
  declaration?: Readonly<{ id?: Named; declarations?: readonly Readonly<{ id: Named }>[] }> | null
}>

const nameOf = (it: Named | null | undefined): string => it?.name ?? it?.value ?? ''

const parsed = new Map<string, ReadonlyMap<string, Declared>>()

/** Every name that a module exports, with the file that declares it. */
const exportsOf = (file: string): ReadonlyMap<string, Declared> => {
  const known = parsed.get(file)
  if (known !== undefined) return known
  const found = new Map<string, Declared>()
  parsed.set(file, found)
  const source = readFileSync(file, 'utf8')
  const { body } = parseAst(source, { lang: 'ts' }) as unknown as { body: readonly Statement[] }
  const add = (name: string, it: Declared) => {
    const documented = it.documented || (found.get(name)?.documented ?? false)
    found.set(name, { ...it, documented })
  }
  for (const { type, start, source: from, exported, specifiers = [], declaration } of body) {
    const module = from?.value.startsWith('.') ? resolve(dirname(file), from.value) : undefined
    if (type === 'ExportAllDeclaration' && module !== undefined && exported == null) {
      for (const [name, it] of exportsOf(module)) add(name, it)
    }
    if (type !== 'ExportNamedDeclaration') continue
    if (module !== undefined) {
      for (const { local, exported: as } of specifiers) {
        const it = exportsOf(module).get(nameOf(local))
        if (it !== undefined) add(nameOf(as), it)
      }
    }
    const documented = source.slice(0, start).trimEnd().endsWith('*/')
    const ids = declaration?.declarations?.map(({ id }) => id) ?? [declaration?.id]
    for (const id of ids) if (nameOf(id) !== '') add(nameOf(id), { file, documented })
  }
  return found
}

const { exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, { types?: string } | string>
}
const missing = new Set<string>()
let total = 0
for (const entry of Object.values(entries)) {
  if (typeof entry === 'string' || entry.types === undefined) continue
  const file = join(root, entry.types.replace('dist/', '').replace(/\.d\.ts$/, '.ts'))
  for (const [name, { file: from, documented }] of exportsOf(file)) {
    total += 1
    if (!documented) missing.add(`${relative(root, from)}: ${name}`)
  }
}

if (process.argv.includes('--write')) {
  writeFileSync(data, `${JSON.stringify([...missing].sort(), null, 2)}\n`)
}
const known = new Set<string>(JSON.parse(readFileSync(data, 'utf8')))
const added = [...missing].filter((it) => !known.has(it))
for (const it of added) console.error(`${it}: expected a docstring (/** … */) before the export`)
console.log(`public exports: ${total}, without a docstring: ${missing.size}`)

const sources = globSync('{server,client,scenarios}/**/*.ts', { cwd: root }).map((file) => ({
  file,
  text: readFileSync(join(root, file), 'utf8'),
}))
const classes = new Set(
  sources.flatMap(({ text }) => [...text.matchAll(/\bclass (\w+)/g)].map(([, name]) => name)),
)
const thrown = sources.flatMap(({ file, text }) =>
  [...text.matchAll(/@throws \{(\w+)\}/g)].map(([, name = '']) => ({ file, text, name })),
)
const exists = ({ text, name }: (typeof thrown)[number]): boolean =>
  classes.has(name) || name in globalThis || new RegExp(`^import .*\\b${name}\\b`, 'm').test(text)
const unknown = thrown.filter((it) => !exists(it))
for (const { file, name } of unknown) {
  console.error(`${file}: expected an error that exists in @throws {…}, received ${name}`)
}
console.log(`errors named by @throws: ${thrown.length}, unknown: ${unknown.length}`)
process.exitCode = added.length + unknown.length === 0 && total > 100 && thrown.length > 100 ? 0 : 1
