import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, watch as watchFolder } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../../server/package-root.ts'
import { suiteFolder } from './find-scenarios.ts'

/**
 * Runs this command again, without `--watch`, whenever a scenario or the code of the harness has
 * changed; each time in a new process, which loads the changed code. Ends with Ctrl-C.
 */
export const watch = async (patterns: readonly string[]): Promise<number> => {
  const command = process.argv.slice(1).filter((it) => it !== '--watch')
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined

  const again = () => {
    child?.kill()
    process.stdout.write(process.stdout.isTTY ? '\u001b[2J\u001b[H' : '\n')
    child = spawn(process.execPath, [...process.execArgv, ...command], { stdio: 'inherit' })
    child.once('exit', (code) => {
      if (code !== null) process.stdout.write('Waiting for changes; Ctrl-C ends.\n')
    })
  }
  const watchers = foldersOf(patterns).map((folder) =>
    watchFolder(folder, { recursive: true }, (_, name) => {
      if (name === null || !watched.has(extname(name))) return
      clearTimeout(timer)
      timer = setTimeout(again, 100)
    }),
  )
  again()
  await new Promise<void>((done) => process.once('SIGINT', done))
  for (const it of watchers) it.close()
  clearTimeout(timer)
  child?.kill()
  return 0
}

const watched = new Set(['.yaml', '.yml', '.ts', '.json'])

/** The suite, the files that patterns name elsewhere, and the sources if they run uncompiled. */
const foldersOf = (patterns: readonly string[]): string[] => {
  const root = fileURLToPath(packageRoot)
  const sources = import.meta.url.endsWith('.ts') ? ['scenarios', 'server', 'client'] : []
  const named = patterns.map((it) => resolve(it)).filter((it) => existsSync(it))
  const folders = [
    suiteFolder(),
    ...sources.map((it) => join(root, it)),
    ...named.map((it) => (extname(it) === '' ? it : dirname(it))),
  ]
  return folders.filter(
    (it, index) =>
      folders.indexOf(it) === index && !folders.some((other) => it.startsWith(`${other}/`)),
  )
}
