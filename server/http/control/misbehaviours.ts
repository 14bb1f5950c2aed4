import type { Misbehaviours, SwitchMisbehaviour } from '../../wire/index.ts'
import { type Handlers, noContent, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import { describeMisbehaviour } from '../tenant/active-misbehaviours.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import { type ControlContext, tooMany } from './context.ts'

export const misbehaviourHandlers: Handlers<
  'control.misbehaviours.read' | 'control.misbehaviours.on' | 'control.misbehaviours.off',
  ControlContext
> = {
  'control.misbehaviours.read': async ({ context }) => ok(await listMisbehaviours(context())),
  'control.misbehaviours.on': async ({ context, body }) => {
    await switchMisbehaviourOn(context(), body)
    return ok(await listMisbehaviours(context()))
  },
  'control.misbehaviours.off': ({ context, query }) => {
    context().misbehaving.off(query.name)
    return noContent
  },
}

/** All misbehaviours, and which are on in the tenant. */
export const listMisbehaviours = async ({
  misbehaving,
}: TenantContext): Promise<Misbehaviours> => ({
  active: misbehaving.active,
  known: (await misbehaving.known()).map(describeMisbehaviour),
})

/** @throws {HttpError} 400 for an unknown name, 429 when too many are on */
export const switchMisbehaviourOn = async (
  { misbehaving }: TenantContext,
  order: SwitchMisbehaviour,
): Promise<void> => {
  if (misbehaving.active.length >= mostActive) tooMany(mostActive, 'misbehaviours')
  const why = await misbehaving.on(order)
  if (why !== undefined) answerWith(400, 'invalid_request', `name: ${why}`)
}

const mostActive = 100
