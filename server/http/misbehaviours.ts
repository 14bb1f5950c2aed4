import type { Misbehaviour } from './misbehave.ts'
import { agentMisbehaviours } from './misbehaviours-agents.ts'
import { apiMisbehaviours } from './misbehaviours-api.ts'
import { challengeMisbehaviours } from './misbehaviours-challenge.ts'
import { consentMisbehaviours } from './misbehaviours-consent.ts'
import { errorMisbehaviours } from './misbehaviours-errors.ts'
import { networkMisbehaviours } from './misbehaviours-network.ts'
import { policyMisbehaviours } from './misbehaviours-policy.ts'
import { requestMisbehaviours } from './misbehaviours-requests.ts'
import { tokenMisbehaviours } from './misbehaviours-tokens.ts'

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
