import { existsSync, globSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { UsageError } from '../../server/usage-error.ts'
import { loadRules } from '../runner/rules.ts'
import { openUi } from '../ui/ui.ts'
import type { RunOptions } from './commands/run.ts'
import { createFilter } from './filters.ts'
import { filesOf, isInstalled, rulesFile, suiteFolder } from './find-scenarios.ts'
import { harnessAt, openMock } from './open-mock.ts'
import { writeWholeFile } from './write-file.ts'

/** `lumoauth-harness run --ui`: serves a page for the suite until Ctrl-C. @returns the exit code */
export const ui = async (patterns: readonly string[], options: RunOptions): Promise<number> => {
  const { host, harness, concurrency, seed, uiPort = 0 } = options
  if (host === 'all') throw new UsageError('--ui runs under one host: name it instead of all')
  const own = join(suiteFolder(), '..')
  const learn = join(own, 'learn')
  const files = filesOf(patterns)
  const named = patterns.map((it) => resolve(it)).filter((it) => existsSync(it))
  const [target, { catalogue }] = await Promise.all([
    harness === undefined ? openMock(host) : harnessAt(harness),
    loadRules(rulesFile()),
  ])
  try {
    await using page = await openUi({
      list: () => filesOf(patterns),
      tour: globSync('*.yaml', { cwd: learn })
        .sort()
        .map((it) => join(learn, it)),
      roots: [
        suiteFolder(),
        learn,
        process.cwd(),
        ...named.map((it) => (statSync(it).isDirectory() ? it : dirname(it))),
      ],
      filter: createFilter(options),
      locked: (path) =>
        isInstalled() && !relative(own, path).startsWith('..')
          ? 'this file belongs to the package; copy it to a folder of yours'
          : undefined,
      write: writeWholeFile,
      target,
      rules: catalogue.rules,
      port: uiPort,
      concurrency,
      seed,
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error
      throw new UsageError(
        `--ui-port ${uiPort}: the port is in use; without it a free one is taken`,
      )
    })
    const say = () =>
      process.stdout.write(
        `${files.length} scenarios against ${target.name}\n\n  ${page.link()}\n\nThe link opens the page in one browser, once.${
          process.stdin.isTTY ? ' Enter prints another link.' : ''
        } Ctrl-C ends it.\n`,
      )
    say()
    if (process.stdin.isTTY) process.stdin.on('data', say)
    await new Promise<void>((resolve) => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve())
    })
    process.stdin.off('data', say).pause()
    return 0
  } finally {
    await target.close()
  }
}
