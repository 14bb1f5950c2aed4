import { describeOldNode } from './node-version.ts'

// Every entry point imports this module first, so that an old Node prints one sentence instead of a
// stack trace.
const { process } = globalThis as { process?: { versions?: { node?: string } } }
const tooOld = describeOldNode(process?.versions?.node)
if (tooOld !== undefined) throw new Error(tooOld)
