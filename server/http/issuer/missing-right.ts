import { Refused } from '../../issuer/refusal.ts'
import { approveScope } from '../../wire/index.ts'
import type { Answer } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { IssuerContext } from './context.ts'

/**
 * Wraps a handler that lists or decides requests. When a scope would be sufficient, the error names it
 * (README of lumoauth 1.1.0, "Missing scopes"); other errors, such as four eyes or an agent's token,
 * stay as they are.
 */
export const withMissingRight =
  <C extends IssuerContext>(handler: (call: C) => Answer) =>
  (call: C): Answer => {
    try {
      return handler(call)
    } catch (thrown) {
      const isForbidden = thrown instanceof Refused && thrown.refusal.error === 'approval_forbidden'
      const { permissions, personObstacle } = call.principal()
      const lacksRight = personObstacle === undefined && !permissions.includes('jit.approve')
      if (!isForbidden || !lacksRight) throw thrown
      const { refusal } = thrown
      return refuseMissingScope(
        call,
        approveScope,
        'reason' in refusal ? refusal.reason : undefined,
      )
    }
  }

/**
 * @throws {HttpError} 403 `forbidden` with the required and the granted scopes; in the older dialect
 * without them
 */
export const refuseMissingScope = (
  { context, principal }: IssuerContext,
  required: string,
  reason = `the scope ${required} is missing`,
): never => {
  if (context.tenant.state.dialect.missing_right === 'approval_forbidden') {
    return answerWith(403, 'approval_forbidden', reason)
  }
  const granted = principal().claims.scope?.split(' ') ?? []
  return answerWith(403, 'forbidden', reason, {
    details: {
      required_scopes: [required],
      // The scope has no effect without the permission.
      granted_scopes: granted.filter((it) => it !== '' && it !== required),
    },
  })
}
