import { networkMisbehaviours } from './misbehaviours-network.ts'

/** Every defect that can be switched on. */
export const misbehaviours = [...networkMisbehaviours]
