/**
 * `npm run check:words`: the words that style.md ("Plain English") bans, counted by folder. A
 * folder may hold as many as test/words.json says, and no more; lower the figures as the texts are
 * reworded (`node test/words.ts --write` does). No new folder may hold any.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './support/running.ts'

const banned = /\b(whoever|nobody|somebody|anybody|it is no (?!longer\b))/gi
/** The first holds the words, the others what was written before. */
const exempt = new Set(['test/words.ts', 'CHANGELOG.md', 'scenarios/renamed.yaml'])
const data = join(root, 'test/words.json')

const folderOf = (file: string): string => dirname(file).split('/').slice(0, 2).join('/')

const places = new Map<string, string[]>()
const pattern = '{*.md,{server,client,scenarios,test}/**/*.{ts,js,md,yaml,html}}'
for (const file of globSync(pattern, { cwd: root }).sort()) {
  if (exempt.has(file)) continue
  const lines = readFileSync(join(root, file), 'utf8').split('\n')
  for (const [at, line] of lines.entries()) {
    for (const [word] of line.matchAll(banned)) {
      const folder = folderOf(file)
      places.set(folder, [...(places.get(folder) ?? []), `${file}:${at + 1}: "${word.trim()}"`])
    }
  }
}

if (process.argv.includes('--write')) {
  const counts = Object.fromEntries([...places].map(([folder, found]) => [folder, found.length]))
  writeFileSync(data, `${JSON.stringify(counts, null, 2)}\n`)
}

const limits: Record<string, number> = JSON.parse(readFileSync(data, 'utf8'))
const over = [...places].filter(([folder, found]) => found.length > (limits[folder] ?? 0))
for (const [folder, found] of over) {
  console.error(`${folder}: ${found.length} banned words, ${limits[folder] ?? 0} are allowed`)
  console.error(found.map((it) => `  ${it}`).join('\n'))
}
const total = [...places.values()].reduce((sum, found) => sum + found.length, 0)
console.log(`banned words: ${total} in ${places.size} folders`)
process.exitCode = over.length === 0 ? 0 : 1
