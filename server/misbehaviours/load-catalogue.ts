import type { Misbehaviour } from '../http/misbehave.ts'

/** Every defect there is. Loaded when somebody first asks: it is no part of a start. */
export const catalogue = async (): Promise<readonly Misbehaviour[]> =>
  (await import('./catalogue.ts')).misbehaviours
