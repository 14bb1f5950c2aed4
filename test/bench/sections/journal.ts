import { closeSync, fdatasync, openSync, readFileSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { firstToken, startedHarness } from '../contenders.ts'
import { median, ratios, told, unsteady } from '../figures.ts'
import { type Load, steadyLoad } from '../load.ts'
import { script } from '../process.ts'
import { alternating, type Section, type Sizes } from '../section.ts'

const crowds = [1, 10, 100]

type Kept = Readonly<{
  load: Load
  /** Lines of the journal in one write, on average. */
  batch?: number
  restart?: Readonly<{ lines: number; ms: number }>
}>

export const journal: Section = {
  says: 'tokens with and without a journal on the disk, by 1, 10 and 100 connections',
  measure: async (sizes) => {
    const asked = crowds.flatMap((connections) =>
      [false, true].map((isKept) => ({ connections, isKept })),
    )
    const seen = [...(await alternating(sizes.rounds, asked, (it) => measured(it, sizes)))]
    const rates = (connections: number, isKept: boolean) =>
      seen
        .filter(([it]) => it.connections === connections && it.isKept === isKept)
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
              'p50, ms',
              'p99, ms',
              'CPU ms per 1000',
              'lines a sync',
            ],
            rows: seen.map(([{ connections, isKept }, rounds]) => {
              const of = (figure: (round: Kept) => number) => told(median(rounds.map(figure)))
              return [
                String(connections),
                isKept ? 'on' : 'off',
                of(({ load }) => load.perSecond),
                told(median(ratios(rates(connections, isKept), rates(connections, false)))),
                of(({ load }) => load.p50),
                of(({ load }) => load.p99),
                of(({ load }) => load.cpuMs),
                isKept ? of(({ batch }) => batch ?? Number.NaN) : '',
              ]
            }),
          },
          notes: [
            `No answer leaves before its line is on the disk; lines that come while the disk is busy share the next sync. One sync of 300 bytes takes ${told(await syncMs())} ms here, median of 100.`,
            `Started again on its journal, up to the first token: ${told(median(restarts.map(({ ms }) => ms)))} ms for ${told(median(restarts.map(({ lines }) => lines)))} lines.`,
          ],
        },
      ],
      warnings: unsteady(
        seen.map(([{ connections, isKept }, rounds]) => ({
          what: `${connections} connections, journal ${isKept ? 'on' : 'off'}`,
          rounds: rounds.map(({ load }) => load.perSecond),
        })),
      ),
      data: seen.map(([it, rounds]) => ({ ...it, rounds })),
    }
  },
}

const measured = async (
  { connections, isKept }: { connections: number; isKept: boolean },
  { seconds }: Sizes,
): Promise<Kept> => {
  if (!isKept) {
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
