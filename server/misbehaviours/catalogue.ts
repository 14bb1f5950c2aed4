import type { Misbehaviour } from '../http/misbehave.ts'
import { agentMisbehaviours } from './agents.ts'
import { apiMisbehaviours } from './api.ts'
import { challengeMisbehaviours } from './challenge.ts'
import { consentMisbehaviours } from './consent.ts'
import { errorMisbehaviours } from './errors.ts'
import { networkMisbehaviours } from './network.ts'
import { policyMisbehaviours } from './policy.ts'
import { requestMisbehaviours } from './requests.ts'
import { tokenMisbehaviours } from './tokens.ts'

/** Every defect that can be switched on. */
export const misbehaviours: readonly Misbehaviour[] = [
  ...networkMisbehaviours,
  ...tokenMisbehaviours,
  ...consentMisbehaviours,
  ...requestMisbehaviours,
  ...policyMisbehaviours,
  ...agentMisbehaviours,
  ...errorMisbehaviours,
  ...apiMisbehaviours,
  ...challengeMisbehaviours,
]
