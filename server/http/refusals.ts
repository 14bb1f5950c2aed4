import { type Refusal, Refused } from '../issuer/refusal.ts'
import type { Routed, Step } from './core.ts'
import { errorAnswer } from './errors.ts'
import type { Answer, HttpRequest } from './message.ts'

/** How each refusal of the rules looks over HTTP. A new one does not compile until it is here. */
export const render = (refusal: Refusal): Answer => {
  switch (refusal.error) {
    case 'not_found':
      return errorAnswer(404, 'not_found', `there is no ${refusal.what} here`)
    case 'task_forbidden':
      return errorAnswer(403, 'task_forbidden', `the task ${refusal.taskId} is another agent's`)
    case 'task_not_active':
      return errorAnswer(
        400,
        'task_not_active',
        `the task ${refusal.taskId} is ${refusal.status}`,
        {
          task_status: refusal.status,
        },
      )
    case 'request_forbidden':
      return errorAnswer(
        403,
        'request_forbidden',
        `the request ${refusal.requestId} is another agent's`,
      )
    case 'request_not_approved':
      return errorAnswer(
        403,
        'request_not_approved',
        `the request ${refusal.requestId} is ${refusal.status}${refusal.reason ? `: ${refusal.reason}` : ''}`,
        { request_status: refusal.status },
      )
    case 'already_exchanged':
      return errorAnswer(
        403,
        'already_exchanged',
        `the approval of ${refusal.requestId} has been exchanged for its token`,
      )
    case 'already_decided':
      return errorAnswer(
        400,
        'already_decided',
        `the request ${refusal.requestId} is ${refusal.status}, decided by ${refusal.by}`,
        { request_status: refusal.status, decided_by: refusal.by },
      )
    case 'request_expired':
      return errorAnswer(
        400,
        'request_expired',
        `the time to decide the request ${refusal.requestId} is over`,
        { request_status: 'expired' },
      )
    case 'approval_forbidden':
      return errorAnswer(403, 'approval_forbidden', refusal.reason)
    case 'delegation_not_allowed':
      return errorAnswer(
        403,
        refusal.as ?? 'delegation_not_allowed',
        refusal.reason ?? 'the agent lacks the capability delegate:on_behalf',
      )
    case 'delegation_depth_exceeded':
      return errorAnswer(
        403,
        'delegation_depth_exceeded',
        `at most ${refusal.maxDepth} agents may act one for another`,
        { max_depth: refusal.maxDepth },
      )
    case 'insufficient_scope':
      return errorAnswer(
        Number(refusal.status),
        'insufficient_scope',
        `expected at most what both tokens have: ${refusal.allowed.join(' ') || 'nothing'}`,
      )
    case 'invalid_request':
    case 'unsupported_response_type':
    case 'login_required':
    case 'invalid_redirect_uri':
    case 'invalid_client_metadata':
    case 'invalid_grant':
    case 'invalid_target':
      return errorAnswer(400, refusal.error, refusal.reason)
    case 'access_denied':
      return errorAnswer(403, 'access_denied', refusal.reason)
    case 'bad_exchange_token':
      return errorAnswer(400, refusal.as, refusal.reason)
    case 'unauthorized_client':
      return errorAnswer(
        Number(refusal.status),
        'unauthorized_client',
        `the client may not use the grant ${refusal.grant}`,
      )
    case 'assertion_used':
      return errorAnswer(
        401,
        'invalid_client',
        'the client assertion is not valid',
        {},
        { 'www-authenticate': 'Bearer', pragma: 'no-cache' },
      )
    case 'unknown_user':
      return errorAnswer(400, 'invalid_request', 'on_behalf_of names no user of this tenant')
    case 'invalid_scope':
      return errorAnswer(
        400,
        'invalid_scope',
        `expected a subset of the registered scopes: ${refusal.allowed.join(' ')}`,
      )
    case 'invalid_authorization_details':
      return errorAnswer(400, 'invalid_authorization_details', refusal.reason)
    case 'budget_exceeded':
      return errorAnswer(
        429,
        'budget_exceeded',
        `the agent has used up its budget of ${refusal.limit} ${refusal.what}`,
        { retry_after: refusal.retryAfter },
        { 'retry-after': String(refusal.retryAfter) },
      )
    case 'limit_reached':
      return errorAnswer(
        429,
        'limit_reached',
        `no more than ${refusal.limit} ${refusal.what} at a time`,
        { limit: refusal.limit },
      )
    case 'registration_forbidden':
      return errorAnswer(403, 'registration_not_allowed', refusal.reason)
    case 'agent_exists':
      return errorAnswer(409, 'agent_exists', `there is already a client ${refusal.clientId}`)
    case 'capability_denied':
      return errorAnswer(
        403,
        'capability_denied',
        `the agent itself lacks ${refusal.missing.join(' ')}`,
      )
    case 'unknown_stream':
      return errorAnswer(404, 'not_found', 'there is no such stream here')
    case 'slow_down':
      return errorAnswer(
        429,
        'slow_down',
        `poll at most every ${refusal.interval} seconds`,
        { interval: refusal.interval, retry_after: refusal.interval },
        { 'retry-after': String(refusal.interval) },
      )
  }
}

/** An answer on its way up from where it was known: bad input, missing credentials. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly answer: Answer
  constructor(answer: Answer) {
    super('refusing')
    this.answer = answer
  }
}

/** @throws {Refusing} always */
export const answerWith = (...error: Parameters<typeof errorAnswer>): never => {
  throw new HttpError(errorAnswer(...error))
}

/** Answers with what was refused; 500 without details for a bug of the harness, which `onBug` receives. */
export const renderErrors =
  (onBug: (bug: unknown, request: HttpRequest) => void): Step<Routed> =>
  async (routed, next) => {
    try {
      return await next(routed)
    } catch (thrown) {
      const answer = answerOf(thrown)
      if (answer !== undefined) return answer
      onBug(thrown, routed.request)
      return errorAnswer(500, 'server_error', 'the harness has a bug; its own log says more')
    }
  }

/** What a thrown thing looks like over HTTP; undefined for a bug. */
export const answerOf = (thrown: unknown): Answer | undefined => {
  if (thrown instanceof HttpError) return thrown.answer
  if (thrown instanceof Refused) return render(thrown.refusal)
  return undefined
}
