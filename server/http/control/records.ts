import type { Entry } from '../../issuer/event.ts'
import { usualScript } from '../../model/scripted-model.ts'
import type { Exchanges, Journal } from '../../wire/index.ts'
import { type Handlers, ok } from '../message.ts'
import { waitForEntry } from '../tenant/wait-for-entry.ts'
import type { TenantContext } from '../tenant-context.ts'
import type { ControlContext } from './context.ts'
import { scriptFrom } from './model.ts'

/** What happened in a tenant, and what its model says. */
export const recordHandlers: Handlers<
  | 'control.journal'
  | 'control.exchanges'
  | 'control.model.read'
  | 'control.model.script'
  | 'control.model.conversations',
  ControlContext
> = {
  'control.journal': async ({ context, query }) => ok(await journalAfter(context(), query)),
  'control.exchanges': ({ context, query }) => ok(exchangesAfter(context(), query.after)),
  'control.model.read': ({ context }) => ok(context().model.script ?? usualScript()),
  'control.model.script': ({ context, body }) => {
    const { model } = context()
    model.script = scriptFrom(body)
    return ok(model.script)
  },
  'control.model.conversations': ({ context, query }) => {
    const { model, tenant } = context()
    const { conversations } = model
    const secrets = new Set([...tenant.state.agents.values()].map((it) => it.secretHash))
    return ok({
      conversations: conversations.after(query.after, secrets),
      next: conversations.last,
      forgotten: conversations.forgotten,
    })
  },
}

/** The exchanges after one of them, oldest first. */
export const exchangesAfter = ({ exchanges }: TenantContext, after: number): Exchanges => ({
  exchanges: exchanges.after(after),
  next: exchanges.last,
  forgotten: exchanges.forgotten,
})

/** What is there at once, or the first thing that comes within `wait` real seconds. */
const journalAfter = async (
  { tenant: { journal }, ended: { signal } }: TenantContext,
  { after, type, wait }: { after: number; type?: string | undefined; wait: number },
): Promise<Journal> => {
  const fits = (entry: Entry) => entry.seq > after && (type === undefined || entry.type === type)
  const matching = () => journal.after(after).filter(fits)
  if (wait > 0 && matching().length === 0) {
    await waitForEntry(journal, fits, { milliseconds: wait * 1000, signal })
  }
  return { entries: [...matching()], next: journal.last, forgotten: journal.forgotten }
}
