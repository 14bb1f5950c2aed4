import type { ControlRoute } from '../../wire/index.ts'
import type { Area } from '../core.ts'
import type { Handlers } from '../message.ts'
import { clockHandlers } from './clock.ts'
import { type ControlContext, controlContext } from './context.ts'
import { credentialHandlers } from './credentials.ts'
import { keyHandlers } from './keys.ts'
import { misbehaviourHandlers } from './misbehaviours.ts'
import { recordHandlers } from './records.ts'
import { settingHandlers } from './settings.ts'
import { tenantHandlers } from './tenants.ts'

/** All of the control plane but `/healthz`, which stands outside of it. */
type OfTenants = Exclude<ControlRoute, 'control.health'>

const controlHandlers: Handlers<OfTenants, ControlContext> = {
  ...tenantHandlers,
  ...clockHandlers,
  ...settingHandlers,
  ...credentialHandlers,
  ...keyHandlers,
  ...recordHandlers,
  ...misbehaviourHandlers,
}

/** The control plane, below `/_harness`. */
export const controlArea = (
  ...harness: Parameters<typeof controlContext>
): Area<OfTenants, ControlContext> => ({
  handlers: controlHandlers,
  tenantByPath: true,
  authenticate: controlContext(...harness),
})
