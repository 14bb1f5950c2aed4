import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../../server/usage-error.ts'
import type { Run, Verdict } from '../runner/verdict.ts'
import { renamedHint } from './renamed.ts'
import { writeWholeFile } from './write-file.ts'

const Kept = z.record(z.string(), z.enum(['passed', 'failed', 'skipped']))

/** The verdict of each scenario in its last run here, by the path of its file. */
export const lastVerdicts = async (): Promise<ReadonlyMap<string, Verdict>> => {
  try {
    return new Map(Object.entries(Kept.parse(JSON.parse(await readFile(place(), 'utf8')))))
  } catch {
    return new Map()
  }
}

/**
 * Tells of a scenario file whether it is to be run again: it failed in its last run here, or was
 * never run.
 * @throws {UsageError} where one that failed has been renamed
 */
export const failedScenarios = async (): Promise<(file: string) => boolean> => {
  const last = await lastVerdicts()
  const failed = [...last].filter(([, verdict]) => verdict === 'failed')
  for (const [file] of failed) {
    if (existsSync(file) || renamedHint(file) === '') continue
    throw new UsageError(
      `--failed: ${file} failed in its last run${renamedHint(file)}; run it by its new name first`,
    )
  }
  return (file) => (last.get(file) ?? 'failed') === 'failed'
}

/** Stores the verdicts of a run, for `run --failed` and `rules`; on a read-only file system it stores none. */
export const keepVerdicts = async (runs: readonly Run[]): Promise<void> => {
  const kept = new Map(await lastVerdicts())
  const results = runs.flatMap((run) => run.results)
  for (const [file, ofFile] of Map.groupBy(results, (it) => resolve(it.file))) {
    const verdicts = ofFile.map((it) => it.verdict)
    const worst = (['failed', 'passed', 'skipped'] as const).find((it) => verdicts.includes(it))
    if (worst !== undefined) kept.set(file, worst)
  }
  const there = [...kept].filter(([file]) => existsSync(file))
  const file = place()
  try {
    await writeWholeFile(file, JSON.stringify(Object.fromEntries(there)))
  } catch {
    // A read-only home directory must not fail a run.
  }
}

/** In the cache folder of the project, or of the user where there is no project. */
const place = (): string => {
  const name = 'lumoauth-harness'
  const modules = resolve('node_modules')
  if (existsSync(modules)) return join(modules, '.cache', name, 'verdicts.json')
  const caches = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  return join(
    caches,
    name,
    `${createHash('sha256').update(process.cwd()).digest('hex').slice(0, 16)}.json`,
  )
}
