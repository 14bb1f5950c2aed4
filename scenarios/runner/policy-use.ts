import { Policy } from '../../server/wire/index.ts'
import type { Given } from '../language/format.ts'
import type { Session } from '../language/session.ts'
import type { Exchange } from './exchange.ts'
import type { PolicyUse } from './verdict.ts'

/** The policies of a tenant in a scenario, with the number of requests each rule decided. */
export const findUsedPolicies = async (
  given: Given,
  { tenant, decidedBy }: Session,
  exchanges: readonly Exchange[],
): Promise<readonly PolicyUse[]> => {
  // The tenant may be deleted already.
  const decided = await decidedBy?.().catch(() => undefined)
  if (decided === undefined) return []
  const replaced = exchanges.filter(
    ({ route, request, answer }) =>
      route === 'control.policy.replace' &&
      answer.status < 300 &&
      request.url.includes(`/tenants/${tenant}/`),
  )
  return [given.policy ?? {}, ...replaced.map((it) => JSON.parse(it.request.body))].map(
    (policy) => {
      const names = namesOf(policy)
      return {
        documented: names.join('\n') === documented.join('\n'),
        rules: names.map((name) => ({ name, decided: decided.filter((it) => it === name).length })),
      }
    },
  )
}

const namesOf = (policy: unknown): string[] => Policy.parse(policy).rules.map((it) => it.name)

const documented = namesOf({})
