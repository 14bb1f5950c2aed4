import { closeSync, fdatasync, openSync, readFileSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { noPostgres, Postgres } from '../../support/postgres.ts'
import { firstToken, startedHarness } from '../contenders.ts'
import { median, ratios, told, unsteady } from '../figures.ts'
import { type Load, steadyLoad } from '../load.ts'
import { script } from '../process.ts'
import { alternating, type Section, type Sizes } from '../section.ts'

const crowds = [1, 10, 100]

/** Where the journal is. */
type Home = 'off' | 'file' | 'PostgreSQL'
const homes: readonly Home[] =
  noPostgres === undefined ? ['off', 'file', 'PostgreSQL'] : ['off', 'file']

type Kept = Readonly<{
  load: Load
  /** Lines of the journal in one write, on average. */
  batch?: number
  restart?: Readonly<{ lines: number; ms: number }>
}>

export const journal: Section = {
  says: 'tokens without a journal, with one in a file and in PostgreSQL, by 1, 10 and 100 connections',
  measure: async (sizes) => {
    const asked = crowds.flatMap((connections) => homes.map((home) => ({ connections, home })))
    const seen = [...(await alternating(sizes.rounds, asked, (it) => measured(it, sizes)))]
    const rates = (connections: number, home: Home) =>
      seen
        .filter(([it]) => it.connections === connections && it.home === home)
        .flatMap(([, rounds]) => rounds.map(({ load }) => load.perSecond))
    const restarts = seen.flatMap(([, rounds]) => rounds.flatMap(({ restart }) => restart ?? []))
    return {
      tables: [
        {
          title: 'Journal on the disk (ES256)',
          table: {
            columns: [
              'connections',
              'journal',
              'tokens/s',
              '× without',
              '× file',
              'p50, ms',
              'p99, ms',
              'CPU ms per 1000',
              'lines a sync',
            ],
            rows: seen.map(([{ connections, home }, rounds]) => {
              const of = (figure: (round: Kept) => number) => told(median(rounds.map(figure)))
              const against = (other: Home) =>
                told(median(ratios(rates(connections, home), rates(connections, other))))
              return [
                String(connections),
                home,
                of(({ load }) => load.perSecond),
                against('off'),
                against('file'),
                of(({ load }) => load.p50),
                of(({ load }) => load.p99),
                of(({ load }) => load.cpuMs),
                home === 'file' ? of(({ batch }) => batch ?? Number.NaN) : '',
              ]
            }),
          },
          notes: [
            ...(noPostgres === undefined ? [] : [`Without PostgreSQL: ${noPostgres}.`]),
            `No answer leaves before its line is on the disk; lines that come while the disk is busy share the next sync. One sync of 300 bytes takes ${told(await syncMs())} ms here, median of 100.`,
            `Started again on its journal, up to the first token: ${told(median(restarts.map(({ ms }) => ms)))} ms for ${told(median(restarts.map(({ lines }) => lines)))} lines.`,
          ],
        },
      ],
      warnings: unsteady(
        seen.map(([{ connections, home }, rounds]) => ({
          what: `${connections} connections, journal ${home}`,
          rounds: rounds.map(({ load }) => load.perSecond),
        })),
      ),
      data: seen.map(([it, rounds]) => ({ ...it, rounds })),
    }
  },
}

const measured = async (
  { connections, home }: { connections: number; home: Home },
  { seconds }: Sizes,
): Promise<Kept> => {
  if (home === 'PostgreSQL') {
    await using postgres = await Postgres.start([])
    const { server, ready } = await startedHarness('ES256', ['--journal', postgres.url()])
    await using _ = server
    return { load: await steadyLoad(server, ready, seconds, connections) }
  }
  if (home === 'off') {
    const { server, ready } = await startedHarness('ES256')
    await using _ = server
    return { load: await steadyLoad(server, ready, seconds, connections) }
  }
  const folder = await mkdtemp(join(tmpdir(), 'lumoauth-bench-'))
  const file = join(folder, 'journal')
  const start = (syncs: string) =>
    startedHarness('ES256', ['--journal', file], {
      flags: ['--import', script('servers/count-syncs.mjs')],
      env: { BENCH_SYNCS: join(folder, syncs) },
    })
  try {
    const { server, ready } = await start('syncs')
    await using _ = server
    const load = await steadyLoad(server, ready, seconds, connections)
    await server.ends()
    const lines = readFileSync(file, 'utf8').split('\n').length - 1
    const syncs = Number(readFileSync(join(folder, 'syncs'), 'utf8'))
    const again = await start('syncs-again')
    await using __ = again.server
    await firstToken(again.ready)
    const ms = performance.now() - again.server.startedAt
    return { load, batch: lines / syncs, restart: { lines, ms } }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const syncMs = async (): Promise<number> => {
  const folder = await mkdtemp(join(tmpdir(), 'lumoauth-bench-'))
  const descriptor = openSync(join(folder, 'sync'), 'a')
  const times: number[] = []
  try {
    for (let n = 0; n < 100; n += 1) {
      const begun = performance.now()
      writeSync(descriptor, 'x'.repeat(300))
      await promisify(fdatasync)(descriptor)
      times.push(performance.now() - begun)
    }
  } finally {
    closeSync(descriptor)
    await rm(folder, { recursive: true, force: true })
  }
  return median(times)
}
