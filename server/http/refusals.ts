import { type Refusal, Refused } from '../issuer/refusal.ts'
import { JournalError } from '../journal/error.ts'
import type { ErrorCode } from '../wire/error-codes.ts'
import type { Routed, Step } from './core.ts'
import { errorAnswer } from './errors.ts'
import type { Answer, HttpRequest } from './message.ts'

/** The refusals that have this code. */
type RefusalWith<Code, R = Refusal> = R extends Refusal
  ? Code extends R['error']
    ? R
    : never
  : never

type Renderers = { [Code in Refusal['error']]: (refusal: RefusalWith<Code>) => Answer }

/** 400 with the code and the reason of the refusal. */
const badRequest = ({ error, reason }: Readonly<{ error: ErrorCode; reason: string }>) =>
  errorAnswer(400, error, reason)

/** The HTTP answer of each refusal of the rules. A new refusal does not compile without an entry here. */
const renderers: Renderers = {
  not_found: ({ what }) => errorAnswer(404, 'not_found', `unknown ${what}`),
  task_forbidden: ({ taskId, tokenTaskId }) =>
    errorAnswer(
      403,
      'task_forbidden',
      tokenTaskId === undefined
        ? `the task ${taskId} is another agent's`
        : `expected the JIT token of ${taskId}, received one of the task ${tokenTaskId}`,
    ),
  task_not_active: ({ taskId, status }) =>
    errorAnswer(400, 'task_not_active', `the task ${taskId} is ${status}`, {
      task_status: status,
    }),
  request_forbidden: ({ requestId }) =>
    errorAnswer(403, 'request_forbidden', `the request ${requestId} is another agent's`),
  request_not_approved: ({ requestId, status, reason }) =>
    errorAnswer(
      403,
      'request_not_approved',
      `the request ${requestId} is ${status}${reason ? `: ${reason}` : ''}`,
      { request_status: status },
    ),
  already_exchanged: ({ requestId }) =>
    errorAnswer(
      403,
      'already_exchanged',
      `the request ${requestId} was already exchanged for its token`,
    ),
  already_decided: ({ requestId, status, by }) =>
    errorAnswer(400, 'already_decided', `the request ${requestId} is ${status}, decided by ${by}`, {
      request_status: status,
      decided_by: by,
    }),
  request_expired: ({ requestId }) =>
    errorAnswer(400, 'request_expired', `the request ${requestId} expired before it was decided`, {
      request_status: 'expired',
    }),
  approval_forbidden: ({ reason }) => errorAnswer(403, 'approval_forbidden', reason),
  delegation_not_allowed: ({ as, reason }) =>
    errorAnswer(
      403,
      as ?? 'delegation_not_allowed',
      reason ?? 'the agent lacks the capability delegate:on_behalf',
    ),
  delegation_depth_exceeded: ({ maxDepth }) =>
    errorAnswer(
      403,
      'delegation_depth_exceeded',
      `expected a delegation chain of at most ${maxDepth} agents`,
      { max_depth: maxDepth },
    ),
  insufficient_scope: ({ status, allowed }) =>
    errorAnswer(
      Number(status),
      'insufficient_scope',
      `expected a subset of the scopes of both tokens: ${allowed.join(' ') || 'none'}`,
    ),
  invalid_request: badRequest,
  authorization_request: ({ as, reason }) => errorAnswer(400, as, reason),
  unsupported_response_type: badRequest,
  login_required: badRequest,
  invalid_redirect_uri: badRequest,
  invalid_client_metadata: badRequest,
  invalid_grant: badRequest,
  invalid_target: badRequest,
  access_denied: ({ reason }) => errorAnswer(403, 'access_denied', reason),
  bad_exchange_token: ({ as, reason }) => errorAnswer(400, as, reason),
  unauthorized_client: ({ status, grant }) =>
    errorAnswer(Number(status), 'unauthorized_client', `the client may not use the grant ${grant}`),
  assertion_used: () =>
    errorAnswer(
      401,
      'invalid_client',
      'the client assertion is not valid',
      {},
      { 'www-authenticate': 'Bearer', pragma: 'no-cache' },
    ),
  unknown_user: () =>
    errorAnswer(400, 'invalid_request', 'on_behalf_of names no user of this tenant'),
  invalid_scope: ({ allowed }) =>
    errorAnswer(
      400,
      'invalid_scope',
      `expected a subset of the registered scopes: ${allowed.join(' ')}`,
    ),
  invalid_authorization_details: badRequest,
  budget_exceeded: ({ limit, what, retryAfter }) =>
    errorAnswer(
      429,
      'budget_exceeded',
      `the agent exceeded its budget of ${limit} ${what}`,
      { retry_after: retryAfter },
      { 'retry-after': String(retryAfter) },
    ),
  limit_reached: ({ limit, what }) =>
    errorAnswer(429, 'limit_reached', `limit reached: at most ${limit} ${what} at a time`, {
      limit,
    }),
  registration_forbidden: ({ reason }) => errorAnswer(403, 'registration_not_allowed', reason),
  agent_exists: ({ clientId }) =>
    errorAnswer(409, 'agent_exists', `the client ${clientId} exists already`),
  capability_denied: ({ missing }) =>
    errorAnswer(
      403,
      'capability_denied',
      `the registering agent lacks the capabilities ${missing.join(' ')}`,
    ),
  unknown_stream: () => errorAnswer(404, 'not_found', 'unknown stream'),
  slow_down: ({ interval }) =>
    errorAnswer(
      429,
      'slow_down',
      `expected at most one poll every ${interval} seconds`,
      { interval, retry_after: interval },
      { 'retry-after': String(interval) },
    ),
}

export const render = (refusal: Refusal): Answer =>
  (renderers[refusal.error] as (refusal: Refusal) => Answer)(refusal)

/** An error with its HTTP answer, thrown where it is detected: invalid input, missing credentials. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly answer: Answer
  constructor(answer: Answer) {
    super('refusing')
    this.answer = answer
  }
}

/** @throws {HttpError} always */
export const answerWith = (...error: Parameters<typeof errorAnswer>): never => {
  throw new HttpError(errorAnswer(...error))
}

/** @throws {HttpError} 404, with or without credentials */
export const refuseUnknownTenant = (slug: string): never =>
  answerWith(404, 'tenant_not_found', `unknown tenant: ${slug}`)

/**
 * Turns thrown errors into answers. An internal error becomes a 500 without details, and `onBug`
 * receives it.
 */
export const renderErrors =
  (onBug: (bug: unknown, request: HttpRequest) => void): Step<Routed> =>
  async (routed, next) => {
    try {
      return await next(routed)
    } catch (thrown) {
      const answer = answerOf(thrown)
      if (answer !== undefined) return answer
      // The storage step answers these errors.
      if (thrown instanceof JournalError) throw thrown
      onBug(thrown, routed.request)
      return errorAnswer(500, 'server_error', 'internal error of the harness; see its log')
    }
  }

/** The HTTP answer of a thrown error; undefined for an internal error. */
export const answerOf = (thrown: unknown): Answer | undefined => {
  if (thrown instanceof HttpError) return thrown.answer
  if (thrown instanceof Refused) return render(thrown.refusal)
  return undefined
}
