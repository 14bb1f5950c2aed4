import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { chart } from './chart.ts'
import { build, installPeers } from './contenders.ts'
import { load, thisMachine } from './machine.ts'
import { endTogether } from './process.ts'
import { type Results, reportOf } from './report.ts'
import type { Section } from './section.ts'
import { agents } from './sections/agents.ts'
import { flows } from './sections/flows.ts'
import { journal } from './sections/journal.ts'
import { own } from './sections/own.ts'
import { peers } from './sections/peers.ts'
import { scale } from './sections/scale.ts'
import { stalls } from './sections/stalls.ts'
import { suite } from './sections/suite.ts'

const sections: Readonly<Record<string, Section>> = {
  peers,
  flows,
  own,
  journal,
  suite,
  agents,
  stalls,
  scale,
}

const help = `Measures, side by side in one run. Numbers of different runs do not compare; ratios within one do.

Usage: npm run bench [-- OPTIONS]

  --only SECTION   one of these (may be repeated; default all but scale):
${Object.entries(sections)
  .map(([name, { says }]) => `                     ${name.padEnd(9)}${says}`)
  .join('\n')}
  --rounds N       rounds of fresh processes (default 5)
  --seconds N      of each measurement; of the 1000 agents twenty times that (default 3)
  --tokens N       after which memory is looked at, and what scale is made of (default 100000)
  --help           this

Results are written to test/bench/results: latest.md, latest.json, latest.svg. Needs Linux, and once a
registry, for the peers.

Exit code: 0 measured, whatever came of it; 2 a section could not be measured.

Example: npm run bench -- --only peers --only flows --rounds 1 --seconds 1 --tokens 1000
`

const { values } = parseArgs({
  options: {
    only: {
      type: 'string',
      multiple: true,
      default: Object.keys(sections).filter((name) => name !== 'scale'),
    },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    tokens: { type: 'string', default: '100000' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const wanted = (text: string): [string, Section] => {
  const section = Object.hasOwn(sections, text) ? sections[text] : undefined
  if (section) return [text, section]
  throw new Error(`--only ${text}: expected ${Object.keys(sections).join(', ')}`)
}

const number = (name: 'rounds' | 'seconds' | 'tokens'): number => {
  const read = Number(values[name])
  if (Number.isInteger(read) && read >= 1) return read
  throw new Error(`--${name} ${values[name]}: expected a whole number from 1`)
}

const measured = async (): Promise<void> => {
  const order = values.only.map(wanted)
  const sizes = { rounds: number('rounds'), seconds: number('seconds'), tokens: number('tokens') }
  if (process.platform !== 'linux') throw new Error('it reads /proc, and so takes Linux')
  endTogether()
  const begun = load()
  if (!order.every(([, { sourcesOnly }]) => sourcesOnly)) {
    installPeers()
    build()
  }
  const results: Results = { sizes, machine: thisMachine(begun), sections: [] }
  for (const [name, { measure }] of order) {
    process.stderr.write(`${name} `)
    const startedAt = performance.now()
    try {
      const found = await measure(sizes)
      results.sections.push({ name, seconds: (performance.now() - startedAt) / 1000, ...found })
    } catch (failed) {
      const told = String(failed)
      results.sections.push({ name, seconds: 0, tables: [], failed: told, data: undefined })
      process.stderr.write(` ${told}`)
      process.exitCode = 2
    }
    process.stderr.write(` ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`)
  }
  const finished = { ...results, machine: thisMachine(begun) }
  const folder = new URL('results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const write = (name: string, text: string) => writeFileSync(new URL(name, folder), text)
  const report = reportOf(finished)
  write('latest.json', `${JSON.stringify(finished, null, 2)}\n`)
  write('latest.md', report)
  const bars = finished.sections.flatMap((it) => it.bars ?? [])
  if (bars.length > 0) write('latest.svg', chart('Tokens by client_credentials', 'tokens/s', bars))
  process.stdout.write(`\n${report}`)
}

if (values.help) process.stdout.write(help)
else {
  try {
    await measured()
  } catch (wrong) {
    process.stderr.write(`bench: ${(wrong as Error).message}\n`)
    process.exitCode = 2
  }
}
