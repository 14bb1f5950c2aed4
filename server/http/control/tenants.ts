import { Slug, type TenantCreated, type TenantSeed } from '../../wire/index.ts'
import { created, type Handlers, noContent, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import { describeUnknownMisbehaviour } from '../tenant/active-misbehaviours.ts'
import { type ControlContext, type TenantRegistry, tooMany } from './context.ts'

export const tenantHandlers: Handlers<
  | 'control.tenant.create'
  | 'control.tenant.put'
  | 'control.tenant.list'
  | 'control.tenant.delete'
  | 'control.tenant.reset',
  ControlContext
> = {
  'control.tenant.create': async ({ registry, body }) =>
    created(await createTenant(registry, body)),
  'control.tenant.put': async ({ registry, params, body }) => {
    const { data: tenant, error } = Slug.safeParse(params.tenant)
    if (error) return answerWith(400, 'invalid_request', `path: ${error.issues[0]?.message}`)
    if (body.tenant !== undefined && body.tenant !== tenant) {
      answerWith(400, 'invalid_request', `tenant: expected ${tenant}, as in the path, or nothing`)
    }
    return created(await createTenant(registry, { ...body, tenant }))
  },
  'control.tenant.list': async ({ registry }) => ok({ tenants: await registry.list() }),
  'control.tenant.delete': ({ registry, context }) => {
    registry.delete(context().tenant.slug)
    return noContent
  },
  'control.tenant.reset': ({ registry, context }) => {
    registry.reset(context().tenant.slug)
    return ok({ ok: true })
  },
}

const createTenant = async (registry: TenantRegistry, seed: TenantSeed): Promise<TenantCreated> => {
  if (seed.misbehave.length > 0) {
    const known = await registry.misbehaviours()
    for (const { name } of seed.misbehave) {
      const why = describeUnknownMisbehaviour(name, known)
      if (why !== undefined) answerWith(400, 'invalid_request', `misbehave: ${why}`)
    }
  }
  const refuseExisting = () =>
    answerWith(409, 'tenant_exists', `there is already a tenant ${seed.tenant}`)
  if (seed.tenant !== undefined && registry.find(seed.tenant)) refuseExisting()
  if (registry.slugs().length >= mostTenants) tooMany(mostTenants, 'tenants')
  return registry.create((await registry.claim(seed)) ?? refuseExisting())
}

const mostTenants = 10_000
