import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'rolldown'

/** Writes the licence of every package that is bundled beside what it is bundled into. */
const licences: Plugin = {
  name: 'licences',
  generateBundle() {
    const packages = [...this.getModuleIds()].flatMap(
      (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? [],
    )
    for (const folder of new Set(packages)) {
      const fileName = `licences/${folder.replace(/^.*\/node_modules\//, '').replace('/', '-')}.txt`
      this.emitFile({ type: 'asset', fileName, source: licenceOf(folder) })
    }
  },
}

/** The text of a package's licence: its file, or that part of its README. @throws where neither is */
const licenceOf = (folder: string): string => {
  const files = readdirSync(folder)
  const read = (name: RegExp) =>
    files.filter((it) => name.test(it)).map((it) => readFileSync(`${folder}/${it}`, 'utf8'))
  const texts = read(/^(?:licen[cs]e|copying|notice)\b(?!.*\.[cm]?[jt]s$)/i)
  if (texts.length === 0) {
    const heading = /^(?:#+ *licen[cs]e\b.*|licen[cs]e\n[-=]+)$/im
    texts.push(
      ...read(/^readme\b/i).flatMap((it) => it.slice(heading.exec(it)?.index ?? it.length)),
    )
  }
  const text = texts.join('\n').trim()
  if (!/copyright/i.test(text)) throw new Error(`${folder} has no text of its licence`)
  return text
}

/** What `--help` loads: commander, the definitions of the commands, and the little those import. */
const program =
  /\/(?:commander|scenarios\/cli\/(?:program|commands\/.*)|server\/(?:usage-error|version)|closest|signing-algorithms|mock\/hosts|reports\/report)(?:\.ts$|\/lib\/|\/index\.js$)/

/**
 * commander can start executables, which we have none of; the modules of Node for that take longer to
 * load than commander. The version is read now instead of at each start, for the same reason.
 */
const light: Plugin = {
  name: 'light',
  resolveId: (source, importer) =>
    importer?.includes('/node_modules/commander/') && source in standIns ? `\0${source}` : null,
  load: (id) =>
    id.endsWith('/server/version.ts')
      ? `export const version = ${JSON.stringify(JSON.parse(readFileSync('package.json', 'utf8')).version)}`
      : (standIns[id.slice(1)] ?? null),
}

const standIns: Readonly<Record<string, string>> = {
  'node:child_process': 'export default {}',
  'node:fs': 'export default {}',
  'node:process': 'export default process',
}

/** The command line in few files: loading hundreds took longer than everything else at a start. */
export default defineConfig({
  input: 'scenarios/cli.ts',
  platform: 'node',
  // The oldest Node that package.json's engines allow.
  transform: { target: 'node22.18' },
  external: ['yaml', 'pg', /^msw/, 'vitest'],
  output: {
    dir: 'dist/cli',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    comments: { jsdoc: false },
    // What every command loads is one file: to find six takes longer than to run them.
    codeSplitting: {
      groups: [{ name: 'program', test: program }],
    },
  },
  plugins: [licences, light],
})
