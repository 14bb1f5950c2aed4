import type { Entry } from '../../issuer/event.ts'
import type { Journal as EntryLog } from '../../issuer/journal.ts'
import { usualScript } from '../../model/scripted-model.ts'
import type { Journal } from '../../wire/index.ts'
import { firstPage, placeAfter } from '../../wire/log-page.ts'
import { sizeOf } from '../../wire/size-of.ts'
import { type Handlers, ok } from '../message.ts'
import { secretHashesOf } from '../tenant/secret-hashes.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import { waitForEntry } from '../tenant/wait-for-entry.ts'
import type { ControlContext } from './context.ts'
import { scriptFrom } from './model.ts'

/** Journal and exchanges of a tenant, and its scripted model. */
export const recordHandlers: Handlers<
  | 'control.journal'
  | 'control.exchanges'
  | 'control.model.read'
  | 'control.model.script'
  | 'control.model.conversations',
  ControlContext
> = {
  'control.journal': async ({ context, query }) => ok(await journalAfter(context(), query)),
  'control.exchanges': ({ context, query }) => ok(context().exchanges.pageAfter(query.after)),
  'control.model.read': ({ context }) => ok(context().model.script ?? usualScript()),
  'control.model.script': ({ context, body }) => {
    const { model } = context()
    model.script = scriptFrom(body)
    return ok(model.script)
  },
  'control.model.conversations': async ({ context, query }) => {
    const { conversations } = context().model
    return ok(await conversations.pageAfter(query.after, secretHashesOf(context())))
  },
}

/** The first page of entries after a `seq`, oldest first. */
export const journalPage = (journal: EntryLog, after: number, fits = isAny) => {
  const all = journal.after(after).filter(fits)
  const entries = firstPage(all, sizeOf)
  return { entries, ...placeAfter(entries, entries.length === all.length, journal) }
}

const isAny = (_: Entry) => true

/** The existing entries, or the first new one within `wait` real seconds. */
const journalAfter = async (
  { tenant: { journal }, ended: { signal } }: TenantContext,
  { after, type, wait }: { after: number; type?: string | undefined; wait: number },
): Promise<Journal> => {
  const fits = (entry: Entry) => entry.seq > after && (type === undefined || entry.type === type)
  if (wait > 0 && !journal.after(after).some(fits)) {
    await waitForEntry(journal, fits, { milliseconds: wait * 1000, signal })
  }
  return journalPage(journal, after, fits)
}
