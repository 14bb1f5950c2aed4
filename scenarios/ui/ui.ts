import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Sessions } from '../../server/console/sessions.ts'
import { loadContract } from '../../server/contract-file.ts'
import type { Target } from '../language/target.ts'
import type { Rule } from '../runner/rules.ts'
import type { ScenarioLimit } from '../runner/run.ts'
import { listMisbehaviours } from '../targets/mock/mock.ts'
import { createUiApp } from './app.ts'
import { Events } from './events.ts'
import { itemOf } from './item.ts'
import { Runs } from './runs.ts'
import { Workspace, type WorkspaceOptions } from './workspace.ts'

export type UiOptions = Omit<WorkspaceOptions, 'onChange'> &
  Readonly<{
    target: Target
    rules: ReadonlyMap<string, Rule>
    /** 0 for a free port. */
    port?: number
    concurrency?: number | undefined
    seed?: number | undefined
    limit?: ScenarioLimit
  }>

/** A served page for the suite. */
export type Ui = AsyncDisposable &
  Readonly<{
    origin: string
    /** A new link, which opens the page in one browser, once. */
    link: () => string
    close: () => Promise<void>
  }>

const usualLimit: ScenarioLimit = { milliseconds: 60_000, exchanges: 5000 }

/** Serves the page for the suite on loopback. */
export const openUi = async ({
  target,
  rules,
  port = 0,
  concurrency,
  seed,
  limit = usualLimit,
  ...files
}: UiOptions): Promise<Ui> => {
  const events = new Events()
  const sessions = new Sessions()
  const watched = new Set<string>()
  const items = coalesce(40, (ids) => {
    const found = workspace.entries.filter((it) => ids.has(it.id))
    events.push({ kind: 'items', items: found.map((it) => itemOf(it, runs, watched)) })
  })
  const progress = coalesce(100, (ids) => {
    for (const id of ids) events.push({ kind: 'progress', id })
  })
  const states = coalesce(100, () => events.push({ kind: 'runs', runs: runs.states }))
  const runs = new Runs({
    target,
    limit,
    concurrency,
    seed,
    onChange: items.add,
    onProgress: (id) => progress.add([id]),
    onRuns: () => states.add(['runs']),
  })
  const workspace = new Workspace({
    ...files,
    onChange: (changed, gone) => {
      if (gone.length > 0) events.push({ kind: 'gone', ids: gone })
      for (const id of gone) runs.forget(id)
      items.add(changed.map(({ id }) => id))
      for (const { id, scenario } of changed) {
        if (scenario !== undefined && watched.has(id)) {
          runs.start([{ id, scenario }], { unsaved: false, misbehaviours: [] })
        }
      }
    },
  })
  // The browser opens while the files are read.
  const loaded = workspace.load().then(() => workspace.watch())
  const app = createUiApp({
    workspace,
    runs,
    events,
    sessions,
    rules,
    contract: await loadContract(),
    misbehaviours: await listMisbehaviours(),
    watched,
    onWatch: items.add,
    loaded,
  })

  const server = createServer(app)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    runs.stop()
    for (const it of [items, progress, states]) it.close()
    await loaded
    workspace.close()
    server.closeAllConnections()
    server.close()
    await runs.idle()
  }
  const link = () =>
    `${origin}/#code=${sessions.invite({ userId: undefined, operator: true }).code}`
  return { origin, link, close, [Symbol.asyncDispose]: close }
}

/** Collects keys, and tells of them together, at most once in so many milliseconds. */
const coalesce = (pause: number, tell: (keys: ReadonlySet<string>) => void) => {
  const keys = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    timer = undefined
    const all = new Set(keys)
    keys.clear()
    tell(all)
  }
  return {
    add: (more: readonly string[]) => {
      for (const it of more) keys.add(it)
      if (keys.size > 0) timer ??= setTimeout(flush, pause)
    },
    close: () => clearTimeout(timer),
  }
}
