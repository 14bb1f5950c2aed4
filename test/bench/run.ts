/**
 * Side by side in one run: `npm run bench [-- --rounds N --seconds N]`. Numbers of different runs do
 * not compare; ratios within one do.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus, homedir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Contender,
  ended,
  type Load,
  loaded,
  median,
  postForm,
  residentMiB,
  spawned,
  spread,
} from './measure.ts'
import { ownFigures } from './own.ts'

const peerVersions = [
  'oauth2-mock-server@9.3.0',
  'oidc-provider@9.13.3',
  'autocannon@8.0.0',
  'jose@6.2.3',
]

const contenders: readonly Contender[] = [
  { name: 'floor', script: 'servers/floor.ts' },
  { name: 'oauth2-mock-server', script: 'servers/oauth2-mock-server.mjs' },
  { name: 'oidc-provider', script: 'servers/oidc-provider.mjs' },
  { name: 'lumoauth-harness', script: 'servers/ours.ts' },
]

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    tokens: { type: 'string', default: '100000' },
  },
})

type Round = Readonly<{ firstToken: number; idle: number; load: Load }>
type Figures = Readonly<{
  algorithm: string
  name: string
  firstTokenMs: number
  perSecond: number
  p50: number
  p99: number
  idleMiB: number
  afterMiB: number
  spread: number
}>

/** Peers live in a folder of their own, never in our dependencies. */
const installPeers = (): string => {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const folder = join(cache, 'lumoauth-harness', 'bench')
  if (!existsSync(join(folder, 'node_modules', 'autocannon'))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"name":"bench-peers","private":true}')
    execFileSync('npm', ['install', '--silent', ...peerVersions], { cwd: folder, stdio: 'inherit' })
  }
  return folder
}

const oneRound = async (contender: Contender, alg: string, peers: string): Promise<Round> => {
  const { ready, child, startedAt } = await spawned(contender, alg, peers)
  try {
    const { url, ...init } = postForm(ready)
    const answer = await fetch(url, init)
    if (!answer.ok) throw new Error(`${contender.name}: ${answer.status} ${await answer.text()}`)
    await answer.arrayBuffer()
    const firstToken = performance.now() - startedAt
    const idle = residentMiB(child)
    const load = await loaded(ready, peers, { duration: Number(values.seconds) })
    if (load.failed > 0) throw new Error(`${contender.name}: ${load.failed} requests failed`)
    return { firstToken, idle, load }
  } finally {
    await ended(child)
  }
}

const memoryAfter = async (contender: Contender, alg: string, peers: string): Promise<number> => {
  const { ready, child } = await spawned(contender, alg, peers)
  try {
    await loaded(ready, peers, { amount: Number(values.tokens) })
    return residentMiB(child)
  } finally {
    await ended(child)
  }
}

const compare = async (alg: string, peers: string): Promise<Figures[]> => {
  const rounds = new Map<string, Round[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse()
    for (const contender of order) {
      rounds.get(contender.name)?.push(await oneRound(contender, alg, peers))
      process.stderr.write('.')
    }
  }
  const figures: Figures[] = []
  for (const contender of contenders) {
    const seen = rounds.get(contender.name) ?? []
    const rates = seen.map(({ load }) => load.perSecond)
    figures.push({
      algorithm: alg,
      name: contender.name,
      firstTokenMs: median(seen.map(({ firstToken }) => firstToken)),
      perSecond: median(rates),
      p50: median(seen.map(({ load }) => load.p50)),
      p99: median(seen.map(({ load }) => load.p99)),
      idleMiB: median(seen.map(({ idle }) => idle)),
      afterMiB: await memoryAfter(contender, alg, peers),
      spread: spread(rates),
    })
  }
  return figures
}

const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`

const peerTable = (figures: readonly Figures[]): string => {
  const floor = (it: Figures) =>
    figures.find(({ name, algorithm }) => name === 'floor' && algorithm === it.algorithm)
      ?.perSecond ?? Number.NaN
  const rows = figures.map(
    (it) =>
      `| ${it.algorithm} | ${it.name} | ${it.firstTokenMs.toFixed(0)} | ${it.perSecond.toFixed(0)} | ${(it.perSecond / floor(it)).toFixed(2)} | ${it.p50} | ${it.p99} | ${it.idleMiB.toFixed(0)} | ${it.afterMiB.toFixed(0)} | ${(it.spread * 100).toFixed(0)} % |`,
  )
  return [
    `| algorithm | server | first token, ms | tokens/s | × floor | p50, ms | p99, ms | idle, MiB | after ${values.tokens} tokens, MiB | spread |`,
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

const warnings = (figures: readonly Figures[]): string =>
  figures
    .filter((it) => it.spread > 0.3)
    .map(
      (it) =>
        `- ${it.algorithm} ${it.name}: the rounds lie ${(it.spread * 100).toFixed(0)} % apart; conclude nothing from this row.`,
    )
    .join('\n')

const peers = installPeers()
const figures = [...(await compare('RS256', peers)), ...(await compare('ES256', peers))]
const own = await ownFigures()
const report = `# Benchmarks

${machine}; ${values.rounds} rounds of ${values.seconds} s, alternating order, 10 connections, fresh processes.

## Side by side

${peerTable(figures)}

${warnings(figures)}

## lumoauth-harness alone

| what | figure |
|---|---|
${own.map(({ what, figure }) => `| ${what} | ${figure} |`).join('\n')}
`
const results = new URL('results/', import.meta.url)
mkdirSync(results, { recursive: true })
writeFileSync(
  new URL('latest.json', results),
  `${JSON.stringify({ machine, figures, own }, null, 2)}\n`,
)
writeFileSync(new URL('latest.md', results), report)
process.stdout.write(`\n${report}`)
