import { type Runs, verdictOf } from './runs.ts'
import type { Entry } from './workspace.ts'

/** A scenario as the list of the page shows it. */
export const itemOf = (entry: Entry, runs: Runs, watched: ReadonlySet<string>) => {
  const { id, file, theme, title, version, problems, scenario } = entry
  const record = runs.record(id)
  const verdict = record && verdictOf(record)
  const results = record?.results.flatMap((it) => it ?? []) ?? []
  const failed = results.find((it) => it.verdict === 'failed')
  const errors = problems.filter((it) => it.severity === 'error')
  return {
    id,
    file,
    theme,
    title,
    version,
    tags: scenario?.tags ?? [],
    covers: scenario?.covers ?? [],
    prefixes: scenario?.prefixes ?? [],
    broken: errors.length,
    watched: watched.has(id),
    state: runs.isWaiting(id) ? 'waiting' : record !== undefined && !verdict ? 'running' : 'idle',
    verdict: verdict ?? null,
    reason: results.find((it) => it.verdict === 'skipped')?.reason ?? null,
    duration: Math.round(results.reduce((sum, it) => sum + it.duration, 0)),
    failure:
      failed === undefined
        ? null
        : {
            step: failed.failures[0]?.step ?? null,
            message: failed.failures[0]?.message ?? '',
            line: failed.failures[0]?.at.line ?? null,
            part: results.indexOf(failed),
          },
    unsaved: record?.how.unsaved ?? false,
    misbehaviours: record?.how.misbehaviours ?? [],
    routes: [...new Set(results.flatMap((it) => it.exchanges.flatMap(({ route }) => route ?? [])))],
  }
}
