import type { Tenant } from '../../../issuer/tenant.ts'
import { createKeySet, type FindKeys } from '../../../signing/key-set.ts'
import { BoundedMap } from '../../../wire/bounded-map.ts'
import { RegisterClient } from '../../../wire/index.ts'
import { readJson } from '../../../wire/json.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'

/** Seconds for which fetched keys are used, and before an unknown key makes the issuer fetch again. */
const lifetime = 300
const coolDown = 1

type Fetched = Readonly<{ find: FindKeys; at: number }>

/** The keys that a client publishes at its `jwks_uri` (RFC 7591 §2), fetched under the rules of `outbound`. */
export const publishedKeys =
  (context: TenantContext, uri: string): FindKeys =>
  async (hint) => {
    const now = context.tenant.clock.now()
    const fetched = fetchedBy(context.tenant)
    const load = async (): Promise<Fetched> => {
      const { status, text } = await context.outbound.get(uri, context.ended.signal)
      if (status !== 200) throw new Error(`jwks_uri answered ${status}`)
      const { keys } = Jwks.parse(readJson(text))
      const entry = { find: createKeySet(keys), at: now }
      fetched.set(uri, entry)
      return entry
    }
    const known = fetched.get(uri)
    const used = known !== undefined && now < known.at + lifetime ? known : await load()
    try {
      return await used.find(hint)
    } catch (unknown) {
      if (now < used.at + coolDown) throw unknown
      return (await load()).find(hint)
    }
  }

const Jwks = RegisterClient.shape.jwks.unwrap()

const mostSets = 1000
const all = new WeakMap<Tenant, BoundedMap<string, Fetched>>()

const fetchedBy = (tenant: Tenant): BoundedMap<string, Fetched> => {
  const fetched = all.get(tenant) ?? new BoundedMap<string, Fetched>(mostSets)
  all.set(tenant, fetched)
  return fetched
}
