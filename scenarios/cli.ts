#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// What is loaded from here on is compiled, and stripped of its types, once for all runs.
enableCompileCache()

// A reader of our output, such as `head`, may close it early: that is no failure of ours.
process.stdout.on('error', (failed: NodeJS.ErrnoException) => {
  if (failed.code !== 'EPIPE') throw failed
  process.exit()
})

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `lumoauth-harness: this takes Node 22.18 or newer, and here is ${process.versions.node}\n`,
  )
  process.exitCode = 2
} else {
  const { runProgram } = await import('./cli/program.ts')
  await runProgram(process.argv.slice(2))
}
