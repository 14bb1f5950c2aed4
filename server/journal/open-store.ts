import type { Algorithm } from '../signing/keys.ts'
import type { JournalOptions } from './file.ts'
import type { PostgresOptions } from './postgres-options.ts'
import type { Store } from './store.ts'

/** The options of `openStore`. */
export type StoreOptions = JournalOptions &
  Pick<PostgresOptions, 'storeKey' | 'lease'> &
  Readonly<{
    /** Algorithm of the signing key, if the store has none yet. Default RS256. */
    algorithm?: Algorithm | undefined
    /** Receives problems of the store that do not end the process. */
    onWarning?: (message: string) => void
  }>

/** Whether a journal is a URL of PostgreSQL instead of a file. */
export const isPostgresUrl = (journal: string): boolean => /^postgres(?:ql)?:/.test(journal)

/**
 * Opens the store that `createHarness` and `start --journal` name: a file, or PostgreSQL by a URL that
 * begins with `postgres://`, for which the package `pg` must be installed.
 * @throws {JournalError} when the store cannot be used
 */
export const openStore = async (journal: string, options: StoreOptions = {}): Promise<Store> => {
  const { algorithm = 'RS256', onWarning, ...more } = options
  if (!isPostgresUrl(journal)) {
    const { FileStore } = await import('./file-store.ts')
    return FileStore.open(journal, algorithm, more, onWarning)
  }
  const { PostgresStore } = await import('./postgres-store.ts')
  const { storeKey, lease, decidedRequests, newestEntries } = more
  return PostgresStore.open(
    journal,
    algorithm,
    { storeKey, lease, decidedRequests, newestEntries },
    onWarning,
  )
}
