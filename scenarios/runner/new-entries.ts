import type { JournalEntry } from '../../server/wire/index.ts'
import type { Session } from '../language/session.ts'

/**
 * Reads the journals of a scenario's tenants: each call returns the entries since the call before.
 * Calls of concurrent branches wait for each other, so that no entry is returned twice.
 */
export const newEntriesOf = (
  sessions: readonly Session[],
): (() => Promise<readonly JournalEntry[]>) => {
  const seen = new Map<Session, number>()
  const readOne = async (session: Session): Promise<readonly JournalEntry[]> => {
    const entries = (await session.journal?.(seen.get(session) ?? 0).catch(() => [])) ?? []
    seen.set(session, entries.at(-1)?.seq ?? seen.get(session) ?? 0)
    return entries
  }
  let turn: Promise<readonly JournalEntry[]> = Promise.resolve([])
  return () => {
    turn = turn.then(async () => (await Promise.all(sessions.map(readOne))).flat())
    return turn
  }
}
