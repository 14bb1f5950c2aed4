import type { AuthorizationDetail } from '../server/wire/authorization-detail.ts'
import { ApiError, ApprovalTimeoutError, EscalationRefusedError } from './errors.ts'
import type { JitContext } from './jit-context.ts'

const refusals = new WeakMap<Response, EscalationRefusedError>()

/** Why a jit fetch returns the answer from before the escalation. */
export const refusalOf = (response: Response): EscalationRefusedError | undefined =>
  refusals.get(response)

export const rememberRefusal = (response: Response, refusal: EscalationRefusedError): void => {
  refusals.set(response, refusal)
}

/** The error for a detail that the caller's own `allow` does not permit. */
export const refuseNotAllowed = (required: AuthorizationDetail): EscalationRefusedError =>
  new EscalationRefusedError(
    'not_allowed',
    required,
    `not requested: the option allow does not permit ${describeDetail(required)}`,
  )

type Decided = Awaited<ReturnType<JitContext['waitForApproval']>>

/** The error for a request that was denied, expired or revoked. */
export const refuseDecided = (
  decided: Decided,
  required: AuthorizationDetail,
): EscalationRefusedError => {
  const reason =
    decided.agent_message ?? decided.deny_reason ?? decided.review_notes ?? decided.message
  const status =
    decided.status === 'expired' || decided.status === 'revoked' ? decided.status : 'denied'
  return new EscalationRefusedError(
    status,
    required,
    `${describeDetail(required)} was ${status === 'denied' ? decided.status : status}${reason ? `: ${reason.slice(0, 500)}` : ''}`,
  )
}

/** Refusals end the escalation. Any other error is thrown. */
export const asRefusal = (error: unknown, required: AuthorizationDetail): unknown => {
  if (error instanceof ApprovalTimeoutError) {
    return new EscalationRefusedError(
      'timeout',
      required,
      `${describeDetail(required)} was not decided within ${error.limit} s`,
      { cause: error },
    )
  }
  if (error instanceof ApiError && error.status < 500 && error.status !== 401) {
    return new EscalationRefusedError(
      'issuer',
      required,
      `${describeDetail(required)} was rejected: ${error.description ?? error.serverCode ?? error.status}`,
      { cause: error },
    )
  }
  return error
}

const describeDetail = ({ type, actions = [], identifier = '' }: AuthorizationDetail): string =>
  [type, actions.join(', '), identifier].filter(Boolean).join(' ').slice(0, 200)
