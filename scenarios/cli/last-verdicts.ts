import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import type { Run, Verdict } from '../runner/verdict.ts'

const Kept = z.record(z.string(), z.enum(['passed', 'failed', 'skipped']))

/** How each scenario went when it was last run here, by the path of its file. */
export const lastVerdicts = async (): Promise<ReadonlyMap<string, Verdict>> => {
  try {
    return new Map(Object.entries(Kept.parse(JSON.parse(await readFile(place(), 'utf8')))))
  } catch {
    return new Map()
  }
}

/** Keeps how scenarios went, for `run --failed` and `rules`. Where nothing can be kept, nothing is. */
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
  const draft = `${file}.${process.pid}`
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(draft, JSON.stringify(Object.fromEntries(there)))
    await rename(draft, file)
  } catch {
    // A read-only home is no reason to fail a run.
  }
}

/** Beside the other caches of the project, else of the person. */
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
