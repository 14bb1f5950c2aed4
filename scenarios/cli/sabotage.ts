import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../../server/usage-error.ts'
import { didYouMean } from '../../server/wire/closest.ts'
import { FlawedFile, parseYaml } from '../../server/wire/yaml-source.ts'
import type { Loaded } from '../language/load.ts'
import { type Paint, painter } from '../reports/paint.ts'
import { terminal } from '../reports/terminal.ts'
import { type Finding, NotGreen, sabotage as sabotageSuite } from '../runner/sabotage.ts'
import { listMisbehaviours } from '../targets/mock/mock.ts'
import type { SabotageOptions } from './commands/sabotage.ts'
import { loadSuite, suiteFolder } from './find-scenarios.ts'
import { openMock } from './open-mock.ts'
import { rejectFormerNames } from './renamed.ts'
import { writeWholeFile } from './write-file.ts'

/** `lumoauth-harness sabotage`. @returns the exit code */
export const sabotage = async (
  names: readonly string[],
  { full, matrix, host, concurrency }: SabotageOptions,
): Promise<number> => {
  const [{ scenarios }, misbehaviours, excuses] = await Promise.all([
    loadSuite(),
    selectMisbehaviours(names),
    readExcuses(),
  ])
  const out = process.stdout
  const paint = painter(out)
  const started = performance.now()
  const target = await openMock(host)
  try {
    const { findings, idle } = await sabotageSuite(scenarios, misbehaviours, target, {
      excuses,
      full,
      concurrency,
      onFinding: ({ misbehaviour: { name } }, done, total) => {
        if (out.isTTY) out.write(`\r\u001b[K${done}/${total} ${name}`)
      },
    })
    if (out.isTTY) out.write('\r\u001b[K')
    const sorted = groupBySight(findings)
    out.write(matrixOf(sorted, paint))
    if (names.length === 0) out.write(idleOf(idle, paint))
    out.write(`${countsOf(sorted, performance.now() - started, paint)}\n`)
    if (matrix !== undefined) await writeWholeFile(matrix, csvOf(findings, scenarios))
    return sorted.hole.length === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof NotGreen)) throw error
    const run = { target: target.name, startedAt: 0, duration: 0, results: error.failed }
    process.stderr.write(`${terminal().failures([run])}\n`)
    throw new UsageError(`${error.message}; sabotage needs a suite that passes`)
  } finally {
    await target.close()
  }
}

const selectMisbehaviours = async (names: readonly string[]) => {
  const known = await listMisbehaviours()
  for (const name of names) {
    if (known.some((it) => it.name.includes(name))) continue
    const hint = didYouMean(
      name,
      known.map((it) => it.name),
    )
    throw new UsageError(`no misbehaviour is named "${name}"${hint}`)
  }
  return known.filter((it) => names.length === 0 || names.some((name) => it.name.includes(name)))
}

const readExcuses = async (): Promise<Readonly<Partial<Record<string, string>>>> => {
  const file = join(suiteFolder(), '..', 'unnoticed.yaml')
  const names = (await listMisbehaviours()).map((it) => it.name)
  const reason = z.string().min(20, { error: 'expected the reason why no client can notice it' })
  const Excuses = z.partialRecord(z.enum(names), reason)
  try {
    const excuses = parseYaml(relative(process.cwd(), file), await readFile(file, 'utf8'), Excuses)
    rejectFormerNames(file, excuses)
    return excuses
  } catch (error) {
    if (error instanceof FlawedFile) throw new UsageError(error.message)
    throw error
  }
}

type Sight = 'hole' | 'stale' | 'excused' | 'caught'

/** Whether the suite notices each misbehaviour. `stale`: excused, but noticed. */
const groupBySight = (
  findings: readonly Finding[],
): Readonly<Record<Sight, readonly Finding[]>> => {
  const sightOf = ({ caughtBy, excuse }: Finding): Sight =>
    caughtBy.length > 0
      ? excuse === undefined
        ? 'caught'
        : 'stale'
      : excuse === undefined
        ? 'hole'
        : 'excused'
  return { hole: [], stale: [], excused: [], caught: [], ...Object.groupBy(findings, sightOf) }
}

const titles: Readonly<Record<Sight, string>> = {
  hole: 'Holes: no scenario notices these',
  stale: 'Excused but noticed: the reason in unnoticed.yaml is wrong',
  excused: 'Excused: no client can notice these',
  caught: 'Noticed',
}

const matrixOf = (sorted: ReturnType<typeof groupBySight>, paint: Paint): string =>
  (Object.keys(titles) as Sight[])
    .filter((sight) => sorted[sight].length > 0)
    .map((sight) => {
      const heading = paint(sight === 'hole' ? ['red', 'bold'] : 'bold', titles[sight])
      return `${heading}\n${sorted[sight].map((it) => rowOf(it, paint)).join('')}\n`
    })
    .join('')

/** A row of the kill matrix: the misbehaviour, and the scenarios that noticed it or did not. */
const rowOf = ({ misbehaviour, caughtBy, missedBy, excuse }: Finding, paint: Paint): string => {
  const { name, breaks, says } = misbehaviour
  const of = `${caughtBy.length} of ${caughtBy.length + missedBy.length}`
  const head = `  ${name.padEnd(36)}${breaks.padEnd(24)}${caughtBy.length > 0 ? of : ''}`.trimEnd()
  const tried =
    missedBy.length === 0
      ? 'no scenario comes near it'
      : `${missedBy.length} ${missedBy.length === 1 ? 'scenario passes' : 'scenarios pass'}`
  const lines =
    caughtBy.length > 0
      ? [
          ...caughtBy.map((it) => paint('green', `✓ ${nameIn(it)}`)),
          ...missedBy
            .filter((it) => it.covers.includes(breaks))
            .map((it) => paint('dim', `· ${nameIn(it)} passes`)),
        ]
      : [says, excuse ?? paint('red', tried)]
  return `${head}\n${lines.map((it) => `    ${it}\n`).join('')}`
}

const idleOf = (idle: readonly Loaded[], paint: Paint): string =>
  idle.length === 0
    ? ''
    : `${paint('bold', 'Scenarios that pass under every misbehaviour')}\n${idle.map((it) => `  ${nameIn(it)}\n`).join('')}\n`

const nameIn = ({ file }: Loaded): string =>
  file.replace(/^.*\bsuite[\\/]/, '').replace(/\.ya?ml$/, '')

const countsOf = (
  { hole, stale, excused, caught }: ReturnType<typeof groupBySight>,
  duration: number,
  paint: Paint,
): string => {
  const all = [hole, stale, excused, caught].reduce((sum, it) => sum + it.length, 0)
  const parts = [
    paint('green', `${caught.length + stale.length} noticed`),
    ...(excused.length > 0 ? [`${excused.length} excused`] : []),
    paint(hole.length > 0 ? 'red' : 'dim', `${hole.length} holes`),
  ]
  return `${parts.join(', ')} of ${all} misbehaviours in ${(duration / 1000).toFixed(1)} s`
}

const csvOf = (findings: readonly Finding[], scenarios: readonly Loaded[]): string => {
  const cell = ({ caughtBy, missedBy }: Finding, it: Loaded) =>
    caughtBy.includes(it) ? 'noticed' : missedBy.includes(it) ? 'passed' : ''
  return [
    ['misbehaviour', 'breaks', ...scenarios.map(nameIn)],
    ...findings.map((finding) => [
      finding.misbehaviour.name,
      finding.misbehaviour.breaks,
      ...scenarios.map((it) => cell(finding, it)),
    ]),
  ]
    .map((row) => `${row.join(',')}\n`)
    .join('')
}
