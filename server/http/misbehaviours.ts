import type { Misbehaviour } from './misbehave.ts'
import { agentMisbehaviours } from './misbehaviours-agents.ts'
import { apiMisbehaviours } from './misbehaviours-api.ts'
import { challengeMisbehaviours } from './misbehaviours-challenge.ts'
import { errorMisbehaviours } from './misbehaviours-errors.ts'
import { networkMisbehaviours } from './misbehaviours-network.ts'
import { requestMisbehaviours } from './misbehaviours-requests.ts'
import { tokenMisbehaviours } from './misbehaviours-tokens.ts'

/** Every defect that can be switched on. */
export const misbehaviours: readonly Misbehaviour[] = [
  ...networkMisbehaviours,
  ...tokenMisbehaviours,
  ...requestMisbehaviours,
  ...agentMisbehaviours,
  ...errorMisbehaviours,
  ...apiMisbehaviours,
  ...challengeMisbehaviours,
]
