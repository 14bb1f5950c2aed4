import type { JournalOptions } from './file.ts'

// A separate file, so that the exported types do not need the types of `pg`.
export type PostgresOptions = Pick<JournalOptions, 'decidedRequests' | 'newestEntries'> &
  Readonly<{
    /** The key that encrypts secrets and keys: 32 bytes as hex or base64. Default: `LUMOAUTH_STORE_KEY`. */
    storeKey?: string | undefined
    /** Milliseconds after which a process that does not renew its lease may lose its tenants. Default 5000. */
    lease?: number | undefined
    /** Number of lines of a tenant at which they are compacted, and again when they have doubled. Default 20 000. */
    compactAbove?: number | undefined
  }>
