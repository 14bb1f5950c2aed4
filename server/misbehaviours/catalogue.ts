import type { Misbehaviour } from '../http/misbehave.ts'
import { describeMisbehaviour } from '../http/tenant/active-misbehaviours.ts'
import type { Misbehaviours } from '../wire/index.ts'
import { challengeMisbehaviours } from './api/challenge.ts'
import { detailMisbehaviours } from './api/details.ts'
import { documentMisbehaviours } from './api/documents.ts'
import { apiErrorMisbehaviours } from './api/errors.ts'
import { apiTokenMisbehaviours } from './api/tokens.ts'
import { agentServiceMisbehaviours } from './issuer/agent-services.ts'
import { agentMisbehaviours } from './issuer/agents.ts'
import { bearerMisbehaviours } from './issuer/bearers.ts'
import { clientMisbehaviours } from './issuer/clients.ts'
import { consentMisbehaviours } from './issuer/consent.ts'
import { decisionMisbehaviours } from './issuer/decisions.ts'
import { errorMisbehaviours } from './issuer/errors.ts'
import { exchangeMisbehaviours } from './issuer/exchanges.ts'
import { grantMisbehaviours } from './issuer/grants.ts'
import { introspectionMisbehaviours } from './issuer/introspection.ts'
import { keyMisbehaviours } from './issuer/keys.ts'
import { outOfBandMisbehaviours } from './issuer/out-of-band.ts'
import { policyMisbehaviours } from './issuer/policy.ts'
import { requestMisbehaviours } from './issuer/requests.ts'
import { taskMisbehaviours } from './issuer/tasks.ts'
import { tokenMisbehaviours } from './issuer/tokens.ts'
import { networkMisbehaviours } from './network.ts'

/** All misbehaviours. */
export const misbehaviours = [
  ...networkMisbehaviours,
  ...clientMisbehaviours,
  ...tokenMisbehaviours,
  ...keyMisbehaviours,
  ...introspectionMisbehaviours,
  ...bearerMisbehaviours,
  ...consentMisbehaviours,
  ...outOfBandMisbehaviours,
  ...grantMisbehaviours,
  ...exchangeMisbehaviours,
  ...requestMisbehaviours,
  ...decisionMisbehaviours,
  ...taskMisbehaviours,
  ...policyMisbehaviours,
  ...agentMisbehaviours,
  ...agentServiceMisbehaviours,
  ...errorMisbehaviours,
  ...apiTokenMisbehaviours,
  ...detailMisbehaviours,
  ...documentMisbehaviours,
  ...apiErrorMisbehaviours,
  ...challengeMisbehaviours,
] satisfies readonly Misbehaviour[]

/** The name of a misbehaviour of the package; `lumoauth-harness misbehaviours` says what each does. */
export type MisbehaviourName = (typeof misbehaviours)[number]['name']

/** All misbehaviours as the control plane lists them. */
export const describedMisbehaviours: Misbehaviours['known'] =
  misbehaviours.map(describeMisbehaviour)
