import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { root } from '../../support/running.ts'
import { published } from '../contenders.ts'
import { median, spread, told, unsteady } from '../figures.ts'
import { Process } from '../process.ts'
import { alternating, type Section } from '../section.ts'

type Ran = Readonly<{ seconds: number; highestMiB: number; cpu: number; says: string }>

export const suite: Section = {
  says: 'the whole suite, and sabotage: wall time, processor time and peak memory',
  measure: async ({ rounds }) => {
    const variants = [
      { what: '`npm run scenarios`', args: scenariosCommand() },
      { what: '`lumoauth-harness run`, the published package', args: [published, 'run'] },
    ]
    const seen = await alternating(rounds, variants, ({ args }) => timed(args))
    const sabotage = await timed(['scenarios/cli.ts', 'sabotage'])
    const [[, judgedBy = []] = []] = seen
    const row = (what: string, all: readonly Ran[]) => {
      const of = (figure: (ran: Ran) => number) => median(all.map(figure))
      return [
        what,
        told(of(({ seconds }) => seconds)),
        told(of(({ cpu }) => cpu)),
        told(of(({ highestMiB }) => highestMiB)),
        `${(spread(all.map(({ seconds }) => seconds)) * 100).toFixed(0)} %`,
        all.at(-1)?.says ?? '',
      ]
    }
    return {
      tables: [
        {
          title: 'The suite',
          table: {
            columns: ['what', 'seconds', 'CPU seconds', 'peak, MiB', 'spread', 'it says'],
            rows: [
              ...[...seen].map(([{ what }, all]) => row(what, all)),
              row('`sabotage`, once', [sabotage]),
            ],
          },
        },
      ],
      budgets: [
        {
          what: 'the whole suite in one process: wall time',
          unit: 's',
          atMost: 5,
          rounds: judgedBy.map(({ seconds }) => seconds),
        },
        {
          what: 'the whole suite in one process: peak memory',
          unit: 'MiB',
          atMost: 250,
          rounds: judgedBy.map(({ highestMiB }) => highestMiB),
        },
      ],
      warnings: unsteady(
        [...seen].map(([{ what }, all]) => ({ what, rounds: all.map(({ seconds }) => seconds) })),
      ),
      data: { suite: [...seen].map(([{ what }, all]) => ({ what, rounds: all })), sabotage },
    }
  },
}

/** The arguments of `npm run scenarios`, without the `node` at its beginning. */
const scenariosCommand = (): string[] => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const [node, ...args] = (scripts.scenarios as string).split(' ')
  if (node !== 'node') throw new Error(`expected "scenarios": "node …", not ${scripts.scenarios}`)
  return args
}

/** @throws when it fails: the time of a wrong result means nothing */
const timed = async (args: readonly string[]): Promise<Ran> => {
  await using running = new Process(args)
  let [highestMiB, cpu] = [0, 0]
  while (!running.hasEnded) {
    // Once the process has ended, the kernel has no figures of it.
    highestMiB = Math.max(highestMiB, running.memory().highest || 0)
    cpu = running.cpu() || cpu
    await Promise.race([pause(10), running.result().catch(() => {})])
  }
  const seconds = (performance.now() - running.startedAt) / 1000
  const says = (await running.result()).trim()
  return { seconds, highestMiB, cpu, says }
}
