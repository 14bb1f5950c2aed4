import { JournalFile } from '../../server/journal/file.ts'
import { TenantSeed } from '../../server/wire/index.ts'

/**
 * Appends to the given journal, an entry and a version of one document at a time, and prints the
 * number of each once it is on the disk. Everything it appends expires at once, so that the journal
 * is compacted all the time.
 */
const [path = ''] = process.argv.slice(2)
const file = await JournalFile.open(path, { compactAbove: 1000, newestEntries: 5 })
const past = file.take('acme')
let number = past?.history.last ?? 0
if (past === undefined) {
  file.append({ tenant: 'acme', opened: TenantSeed.parse({ tenant: 'acme' }) })
}
for (;;) {
  number += 1
  const entry = { seq: number, at: number, type: 'task.completed', taskId: 'none' } as const
  file.append({ tenant: 'acme', entries: [entry] })
  const document = {
    id: 'doc_1',
    version: number,
    title: 'title',
    classification: 'public',
    body: 'x'.repeat(500),
    updated_at: '2026-01-01T00:00:00Z',
    updated_by: 'agt_bot',
  } as const
  file.append({ tenant: 'acme', change: { document } })
  await file.durable()
  process.stdout.write(`${number}\n`)
}
