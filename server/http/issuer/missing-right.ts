import { Refused } from '../../issuer/refusal.ts'
import { approveScope } from '../../wire/index.ts'
import type { Answer } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { IssuerContext } from './context.ts'

/**
 * A handler for those who list and decide requests. A person who lacks the right is told which scope it takes
 * (README of lumoauth 1.1.0, "Missing scopes"); what no scope would change, such as four eyes or a token of an
 * agent, keeps its own error.
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

/** @throws {HttpError} 403 `forbidden` with the scope it takes and those the caller has; the older dialect says less */
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
      // A scope without the permission behind it opens nothing.
      granted_scopes: granted.filter((it) => it !== '' && it !== required),
    },
  })
}
