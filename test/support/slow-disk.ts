import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/**
 * A disk that can be stopped, for a process that is started with `--import` of this file: after one
 * SIGUSR2 no write is durable, after the next all are. It reports on standard error.
 */
const { fdatasync } = fs
const waiting: (() => void)[] = []
let stopped = false

fs.fdatasync = ((descriptor: number, done: fs.NoParamCallback) => {
  const sync = () => fdatasync(descriptor, done)
  if (!stopped) return sync()
  waiting.push(sync)
  console.error('the disk delays a write')
}) as typeof fdatasync
syncBuiltinESMExports()

process.on('SIGUSR2', () => {
  stopped = !stopped
  console.error(stopped ? 'the disk stands still' : 'the disk goes on')
  if (!stopped) for (const sync of waiting.splice(0)) sync()
})
