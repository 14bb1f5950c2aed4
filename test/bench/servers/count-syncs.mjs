/** Loaded before the server (`--import`): counts how often it waits for the disk. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const { fdatasync } = fs
let syncs = 0
fs.fdatasync = (...args) => {
  syncs += 1
  return fdatasync(...args)
}
syncBuiltinESMExports()
process.once('exit', () => fs.writeFileSync(process.env.BENCH_SYNCS, String(syncs)))
