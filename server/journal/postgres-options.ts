import type { JournalOptions } from './file.ts'

// In a file of its own: what the package exports must not lead to the types of `pg`, which few have.
export type PostgresOptions = Pick<JournalOptions, 'decidedRequests' | 'newestEntries'> &
  Readonly<{
    /** How secrets and keys are encrypted: 32 bytes as hex or base64. Default: `LUMOAUTH_STORE_KEY`. */
    storeKey?: string | undefined
    /** Milliseconds after which a process that gives no sign may lose its tenants. Default 5000. */
    lease?: number | undefined
    /** Lines of a tenant from which on they are compacted, each time they have doubled. Default 20 000. */
    compactAbove?: number | undefined
  }>
