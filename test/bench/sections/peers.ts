import {
  type Algorithm,
  type Contender,
  contenders,
  firstStart,
  floor,
  mockServer,
  ours,
  provider,
  running,
  startedHarness,
} from '../contenders.ts'
import { type Budget, median, ratios, spread, type Table, told, unsteady } from '../figures.ts'
import { type Load, loaded, steadyLoad } from '../load.ts'
import { alternating, type Section, type Sizes } from '../section.ts'

/** First tokens of this many new processes make the figure of a round. */
const starts = 3

export type Round = Readonly<{
  firstTokenMs: number
  startCpuMs: number
  idleMiB: number
  load: Load
}>

/** The rounds of one contender with one algorithm. */
export type Row = Readonly<{ algorithm: string; name: string; rounds: readonly Round[] }>

export const peers: Section = {
  says: 'tokens, first token and memory, side by side with other issuers',
  measure: async (sizes) => {
    const rows = [...(await compared('RS256', sizes)), ...(await compared('ES256', sizes))]
    const first: number[] = []
    for (let round = 0; round < sizes.rounds; round += 1) first.push(await firstStart('RS256'))
    const memory = await remembered(sizes)
    return {
      tables: [
        {
          title: 'Side by side',
          table: peerTable(rows),
          notes: [
            '*lumoauth-harness* is the published package; budgets are judged by it.',
            `Node keeps what it has compiled of ours from one start to the next. The very first start on a machine, RS256, median of ${first.length}: ${told(median(first))} ms to the first token.`,
          ],
        },
        {
          title: `Memory after ${sizes.tokens} tokens (ES256)`,
          table: memoryTable(memory, sizes.tokens),
          notes: [
            'Tokens live for an hour, and so all of them are live: what is kept does not depend on the algorithm.',
            'Then as many again: at once, or after two hours by the tenant’s clock, when the first are forgotten.',
          ],
        },
      ],
      budgets: [...peerBudgets(rows), memoryBudget(memory, sizes.tokens)],
      warnings: unsteady(
        rows.map(({ algorithm, name, rounds }) => ({
          what: `${algorithm} ${name}`,
          rounds: rounds.map(({ load }) => load.perSecond),
        })),
      ),
      bars: rows.map(({ algorithm, name, rounds }) => ({
        group: algorithm,
        name,
        value: median(rounds.map(({ load }) => load.perSecond)),
        isOurs: name.startsWith(ours.name),
      })),
      data: { rows, firstStarts: first, memory },
    }
  },
}

const compared = async (algorithm: Algorithm, { rounds, seconds }: Sizes): Promise<Row[]> => {
  const seen = await alternating(rounds, contenders, (it) => oneRound(it, algorithm, seconds))
  return [...seen].map(([{ name }, all]) => ({ algorithm, name, rounds: all }))
}

const oneRound = async (
  contender: Contender,
  algorithm: Algorithm,
  seconds: number,
): Promise<Round> => {
  const started: { firstTokenMs: number; startCpuMs: number }[] = []
  for (let n = 1; n < starts; n += 1) {
    const another = await running(contender, algorithm)
    await another.server.ends('SIGKILL')
    started.push(another)
  }
  const last = await running(contender, algorithm)
  const { server, ready } = last
  await using _ = server
  started.push(last)
  const { now: idleMiB } = server.memory()
  return {
    firstTokenMs: median(started.map(({ firstTokenMs }) => firstTokenMs)),
    startCpuMs: median(started.map(({ startCpuMs }) => startCpuMs)),
    idleMiB,
    load: await steadyLoad(server, ready, seconds),
  }
}

export const peerTable = (rows: readonly Row[]): Table => ({
  columns: [
    'algorithm',
    'server',
    'first token, ms',
    'CPU ms to it',
    'tokens/s',
    '× floor',
    'p50, ms',
    'p99, ms',
    'CPU ms per 1000',
    'idle, MiB',
    'spread',
  ],
  rows: rows.map(({ algorithm, name, rounds }) => {
    const of = (figure: (round: Round) => number) => median(rounds.map(figure))
    return [
      algorithm,
      name,
      told(of(({ firstTokenMs }) => firstTokenMs)),
      told(of(({ startCpuMs }) => startCpuMs)),
      told(of(({ load }) => load.perSecond)),
      told(median(ratios(rates(rows, name, algorithm), rates(rows, floor.name, algorithm)))),
      told(of(({ load }) => load.p50)),
      told(of(({ load }) => load.p99)),
      told(of(({ load }) => load.cpuMs)),
      told(of(({ idleMiB }) => idleMiB)),
      `${(spread(rates(rows, name, algorithm)) * 100).toFixed(0)} %`,
    ]
  }),
})

const roundsOf = (rows: readonly Row[], name: string, algorithm: string): readonly Round[] =>
  rows.find((row) => row.name === name && row.algorithm === algorithm)?.rounds ?? []

const rates = (rows: readonly Row[], name: string, algorithm: string): number[] =>
  roundsOf(rows, name, algorithm).map(({ load }) => load.perSecond)

/** The minimum share of the tokens/s of the others. */
const shares = {
  RS256: { floor: 0.75, provider: 1.15, mockServer: 1.6 },
  ES256: { floor: 0.65, provider: 1.45, mockServer: 1.5 },
}

export const peerBudgets = (rows: readonly Row[]): Budget[] =>
  (['RS256', 'ES256'] as const).flatMap((algorithm) => {
    const share = shares[algorithm]
    const all = ({ name }: Contender, figure: (round: Round) => number) =>
      roundsOf(rows, name, algorithm).map(figure)
    const than = (peer: Contender, atLeast: number): Budget => ({
      what: `${algorithm}: tokens/s, of ${peer.name}’s`,
      unit: '×',
      atLeast,
      rounds: ratios(rates(rows, ours.name, algorithm), rates(rows, peer.name, algorithm)),
      byCpu: ratios(all(peer, cpuOfLoad), all(ours, cpuOfLoad)),
    })
    return [
      {
        what: `${algorithm}: start to first token, of ${provider.name}’s`,
        unit: '×',
        atMost: 0.85,
        rounds: ratios(all(ours, untilToken), all(provider, untilToken)),
        byCpu: ratios(all(ours, cpuOfStart), all(provider, cpuOfStart)),
      },
      than(floor, share.floor),
      than(provider, share.provider),
      than(mockServer, share.mockServer),
    ]
  })

const untilToken = ({ firstTokenMs }: Round) => firstTokenMs
const cpuOfStart = ({ startCpuMs }: Round) => startCpuMs
const cpuOfLoad = ({ load }: Round) => load.cpuMs

/** Memory varies less than time, and takes longer to measure: a third of the rounds suffices. */
const memoryShare = 3

type Memories = Readonly<Record<string, readonly number[]>>

/** Resident MiB after this many tokens, by server. */
const remembered = async ({ rounds, tokens }: Sizes): Promise<Memories> => {
  const after = async (contender: Contender): Promise<number[]> => {
    const { server, ready } = await running(contender, 'ES256')
    await using _ = server
    await loaded(server, ready, { amount: tokens })
    return [server.memory().now]
  }
  const afterMore = async (pause: object | undefined): Promise<number[]> => {
    const { server, ready, summary, control } = await startedHarness('ES256')
    await using _ = server
    await loaded(server, ready, { amount: tokens })
    const first = server.memory().now
    if (pause) await control('POST', `/tenants/${summary.tenant}/clock`, pause)
    await loaded(server, ready, { amount: tokens })
    return [first, server.memory().now]
  }
  const measurements = {
    [mockServer.name]: () => after(mockServer),
    [provider.name]: () => after(provider),
    atOnce: () => afterMore(undefined),
    later: () => afterMore({ advance: 'PT2H' }),
  }
  const seen = await alternating(
    Math.ceil(rounds / memoryShare),
    Object.entries(measurements),
    ([, measure]) => measure(),
  )
  const all = Object.fromEntries([...seen].map(([[name], found]) => [name, found]))
  const at = (name: string, place: number) => (all[name] ?? []).map((it) => it[place] ?? Number.NaN)
  return {
    [mockServer.name]: at(mockServer.name, 0),
    [provider.name]: at(provider.name, 0),
    [ours.name]: at('atOnce', 0),
    'twice as many, all live': at('atOnce', 1),
    'twice as many, the first expired': at('later', 1),
  }
}

const memoryTable = (memory: Memories, tokens: number): Table => ({
  columns: ['server', 'MiB', `MiB over ${mockServer.name}`, 'KiB per live token over it'],
  rows: Object.entries(memory).map(([name, rounds]) => {
    const live = name === 'twice as many, all live' ? 2 * tokens : tokens
    const over = median(rounds) - median(memory[mockServer.name] ?? [])
    return [
      name in { [mockServer.name]: 0, [provider.name]: 0, [ours.name]: 0 }
        ? name
        : `${ours.name}, ${name}`,
      told(median(rounds)),
      told(over),
      told((over * 1024) / live),
    ]
  }),
})

const memoryBudget = (memory: Memories, tokens: number): Budget => ({
  what: `memory after ${tokens} tokens, over ${mockServer.name}’s, per live token`,
  unit: 'KiB',
  atMost: 1,
  rounds: (memory[ours.name] ?? []).map(
    (mebibytes, round) =>
      ((mebibytes - (memory[mockServer.name]?.[round] ?? Number.NaN)) * 1024) / tokens,
  ),
})
