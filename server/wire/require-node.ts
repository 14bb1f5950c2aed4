import { describeOldNode } from './node-version.ts'

// Every entry point imports this module first, so that an old Node gets this sentence and no stack of ours.
const { process } = globalThis as { process?: { versions?: { node?: string } } }
const tooOld = describeOldNode(process?.versions?.node)
if (tooOld !== undefined) throw new Error(tooOld)
