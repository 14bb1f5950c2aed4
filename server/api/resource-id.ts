import { Document } from '../wire/index.ts'
import type { Requirement } from './guard.ts'

/** Whether a document or report could have this id. */
export const isResourceId = (id: string): boolean => Document.shape.id.safeParse(id).success

/**
 * An impossible id is not a secret: any valid token gets 404, and a challenge never contains such an
 * id.
 */
export const relaxForImpossibleId = (id: string, requirement: Requirement): Requirement =>
  isResourceId(id) ? requirement : { token: 'any' }
