import { Document } from '../wire/index.ts'
import type { Requirement } from './guard.ts'

/** Whether anything of this API could ever have this id. */
export const isResourceId = (id: string): boolean => Document.shape.id.safeParse(id).success

/**
 * An id that nothing can have is no secret: a valid token is enough to be told so, and a challenge
 * never carries what somebody made up.
 */
export const relaxForImpossibleId = (id: string, requirement: Requirement): Requirement =>
  isResourceId(id) ? requirement : { token: 'any' }
