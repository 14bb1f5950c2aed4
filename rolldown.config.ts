import { existsSync, readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'rolldown'

/** What is bundled keeps its licence. */
const licences: Plugin = {
  name: 'licences',
  generateBundle() {
    const packages = [...this.getModuleIds()].flatMap(
      (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? [],
    )
    for (const folder of new Set(packages)) {
      const file = ['LICENSE', 'LICENSE.md'].map((it) => `${folder}/${it}`).find(existsSync)
      if (file === undefined) throw new Error(`${folder} says nothing of its licence`)
      const fileName = `licences/${folder.replace(/^.*\/node_modules\//, '').replace('/', '-')}.txt`
      this.emitFile({ type: 'asset', fileName, source: readFileSync(file, 'utf8') })
    }
  },
}

/** The command line in few files: loading hundreds took longer than everything else at a start. */
export default defineConfig({
  input: 'scenarios/cli.ts',
  platform: 'node',
  // The oldest Node that package.json's engines allow.
  transform: { target: 'node22.18' },
  external: ['express', 'yaml', /^msw/, 'vitest'],
  output: { dir: 'dist/cli', entryFileNames: '[name].js', chunkFileNames: '[name].js' },
  plugins: [licences],
})
