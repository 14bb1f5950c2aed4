import { existsSync } from 'node:fs'
import { PolicyReplayer } from '../../server/issuer/policy/replay-policy.ts'
import { JournalError } from '../../server/journal/error.ts'
import { readPast, type TenantPast } from '../../server/journal/past.ts'
import { UsageError } from '../../server/usage-error.ts'
import type { Policy } from '../../server/wire/index.ts'

/** What another policy would have decided of the requests in a journal. */
export type Replay = ReturnType<typeof PolicyReplayer.sum> &
  Readonly<{
    tenants: readonly string[]
    /** From this time on, no decided request is missing (epoch seconds). Absent without requests. */
    completeFrom?: number
  }>

/**
 * Decides the requests of a journal again with another policy, from the facts that the policy had at that
 * time. Reads the file in pieces and does not change it.
 * @param tenant only requests of this tenant
 * @throws {UsageError} when the file is not a journal, or no tenant in it has the name
 */
export const replayJournal = async (
  file: string,
  policy: Policy,
  tenant?: string,
): Promise<Replay> => {
  if (!existsSync(file)) throw new UsageError(`there is no ${file}`)
  const replayers = new Map<TenantPast, PolicyReplayer>()
  const { tenants } = await readPast(file, {
    newest: 0,
    decided: 0,
    onDecided: (past, request) => {
      const replayer = replayers.get(past) ?? new PolicyReplayer(policy)
      replayers.set(past, replayer)
      replayer.add(request)
    },
  }).catch((failed: unknown) => {
    throw failed instanceof JournalError ? new UsageError(failed.message) : failed
  })
  if (tenant !== undefined && !tenants.has(tenant)) {
    const known = [...tenants.keys()].join(', ') || 'none'
    throw new UsageError(`${file}: there is no tenant "${tenant}"; tenants are: ${known}`)
  }
  const chosen = [...tenants].filter(([name]) => tenant === undefined || name === tenant)
  const since = chosen.flatMap(([, past]) => past.completeFrom ?? [])
  return {
    // Excludes deleted tenants, and what was decided before a tenant was created again.
    ...PolicyReplayer.sum(chosen.flatMap(([, past]) => replayers.get(past) ?? [])),
    tenants: chosen.map(([name]) => name),
    ...(since.length === 0 ? {} : { completeFrom: Math.max(...since) }),
  }
}
