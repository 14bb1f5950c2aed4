import { z } from 'zod'

/** One line of the journal. `at` is in epoch seconds of the tenant's clock. */
export const JournalEntry = z
  .looseObject({ seq: z.int().positive(), at: z.number(), type: z.string() })
  .meta({ id: 'JournalEntry' })
export type JournalEntry = z.infer<typeof JournalEntry>

/** Query of the journal. Filters combine with AND. */
export const JournalQuery = z.object({
  /** Only entries after this `seq`. */
  after: z.coerce.number().int().nonnegative().default(0),
  type: z.string().optional(),
  /** Real seconds to wait for the first matching entry. */
  wait: z.coerce.number().min(0).max(30).default(0),
})
export type JournalQuery = z.infer<typeof JournalQuery>

/** One page of journal entries. */
export const Journal = z
  .object({
    entries: z.array(JournalEntry),
    next: z.int().nonnegative(),
    forgotten: z.int().nonnegative(),
    /** Whether there are entries after `next`. */
    more: z.boolean().optional(),
  })
  .meta({ id: 'Journal' })
export type Journal = z.infer<typeof Journal>
