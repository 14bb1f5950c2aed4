#!/usr/bin/env node
import * as module from 'node:module'
import { describeOldNode } from '../server/wire/node-version.ts'

// What is loaded from here on is compiled, and stripped of its types, once for all runs.
module.enableCompileCache?.()

// A reader of our output, such as `head`, may close it early: that is no failure of ours.
process.stdout.on('error', (failed: NodeJS.ErrnoException) => {
  if (failed.code !== 'EPIPE') throw failed
  process.exit()
})

const tooOld = describeOldNode(process.versions.node)
if (tooOld === undefined) {
  const { runProgram } = await import('./cli/program.ts')
  await runProgram(process.argv.slice(2))
} else {
  process.stderr.write(`${tooOld}\n`)
  process.exitCode = 2
}
