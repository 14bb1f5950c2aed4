import type { AuthorizationDetail } from '../server/wire/authorization-detail.ts'
import { redact } from './redact.ts'

/** Every way the client says no. A code never changes its meaning. */
export type ErrorCode =
  | 'config_error'
  | 'network_error'
  | 'deadline_exceeded'
  | 'invalid_answer'
  | 'authentication_error'
  | 'permission_denied'
  | 'not_found'
  | 'rate_limited'
  | 'api_error'
  | 'no_task'
  | 'task_open'
  | 'approval_pending'
  | 'approval_timeout'
  | 'escalation_refused'
  | 'completion_failed'
  | 'opening_unknown'
  | 'body_not_replayable'
  | 'redirect_refused'

/** What an error may say beside its message. */
export type ErrorFacts = Readonly<{
  cause?: unknown
  /** Texts to hide, beside all that has the shape of a token. */
  secrets?: readonly string[] | undefined
}>

/**
 * The base of all errors of this client. Message and cause never hold a token or a secret: what was
 * thrown by others is kept as a copy of its name, code and cleaned message.
 */
export class LumoAuthError extends Error {
  override readonly name: string = 'LumoAuthError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, { cause, secrets }: ErrorFacts = {}) {
    super(
      redact(message, secrets),
      cause === undefined ? {} : { cause: toPrintableCause(cause, secrets) },
    )
    this.code = code
  }

  /** For logs: everything but the stack. */
  toJSON(): Record<string, unknown> {
    return { ...(this as object), name: this.name, message: this.message }
  }
}

/** The client cannot work with what it was given. */
export class ConfigError extends LumoAuthError {
  override readonly name = 'ConfigError'
  constructor(message: string, facts?: ErrorFacts) {
    super('config_error', message, facts)
  }
}

/** The other side could not be reached. */
export class NetworkError extends LumoAuthError {
  override readonly name = 'NetworkError'
  constructor(message: string, facts?: ErrorFacts) {
    super('network_error', message, facts)
  }
}

/** The other side did not answer in time. */
export class DeadlineExceededError extends LumoAuthError {
  override readonly name = 'DeadlineExceededError'
  constructor(what: string, seconds: number) {
    super('deadline_exceeded', `${what}: no answer within ${seconds} s`)
  }
}

/** A success whose body is not what the contract says. */
export class InvalidAnswerError extends LumoAuthError {
  override readonly name = 'InvalidAnswerError'
  constructor(message: string, facts?: ErrorFacts) {
    super('invalid_answer', message, facts)
  }
}

/** What a refusal of the issuer looked like. */
export type ServerRefusal = Readonly<{
  status: number
  /** `code`, else `error` of the body. */
  serverCode?: string | undefined
  /** `error_description`, else `message`, else `detail` of the body. */
  description?: string | undefined
}>

/** The issuer refused; subclasses tell the statuses a caller acts on. */
export class ApiError extends LumoAuthError {
  override readonly name: string = 'ApiError'
  readonly status: number
  readonly serverCode: string | undefined
  readonly description: string | undefined

  constructor(
    what: string,
    { status, serverCode, description }: ServerRefusal,
    facts: ErrorFacts = {},
    code: ErrorCode = 'api_error',
  ) {
    const said = [serverCode, description].filter((it) => it !== undefined).join(': ')
    super(code, `${what}: answered ${status}${said === '' ? '' : ` ${said}`}`, facts)
    this.status = status
    this.serverCode = serverCode === undefined ? undefined : redact(serverCode, facts.secrets)
    this.description = description === undefined ? undefined : redact(description, facts.secrets)
  }
}

/** 401: the credentials or the token are not accepted. */
export class AuthenticationError extends ApiError {
  override readonly name = 'AuthenticationError'
  constructor(what: string, refusal: ServerRefusal, facts?: ErrorFacts) {
    super(what, refusal, facts, 'authentication_error')
  }
}

/** 403. */
export class PermissionDeniedError extends ApiError {
  override readonly name = 'PermissionDeniedError'
  constructor(what: string, refusal: ServerRefusal, facts?: ErrorFacts) {
    super(what, refusal, facts, 'permission_denied')
  }
}

/** 404. */
export class NotFoundError extends ApiError {
  override readonly name = 'NotFoundError'
  constructor(what: string, refusal: ServerRefusal, facts?: ErrorFacts) {
    super(what, refusal, facts, 'not_found')
  }
}

/** 429, with the seconds to wait where the server named them. */
export class RateLimitedError extends ApiError {
  override readonly name = 'RateLimitedError'
  readonly retryAfter: number | undefined
  /** The gap between polls a `slow_down` asks for. */
  readonly interval: number | undefined

  constructor(
    what: string,
    refusal: ServerRefusal & { retryAfter?: number | undefined; interval?: number | undefined },
    facts?: ErrorFacts,
  ) {
    super(what, refusal, facts, 'rate_limited')
    this.retryAfter = refusal.retryAfter
    this.interval = refusal.interval
  }
}

/** 503, with the seconds to wait where the server named them. */
export class UnavailableError extends ApiError {
  override readonly name = 'UnavailableError'
  readonly retryAfter: number | undefined

  constructor(
    what: string,
    refusal: ServerRefusal & { retryAfter?: number | undefined },
    facts?: ErrorFacts,
  ) {
    super(what, refusal, facts)
    this.retryAfter = refusal.retryAfter
  }
}

/** A call that needs an open task came before it was opened or after it was completed. */
export class NoTaskError extends LumoAuthError {
  override readonly name = 'NoTaskError'
  constructor(message: string) {
    super('no_task', message)
  }
}

/** A second task was to be opened while the first still is: it would be forgotten, with its tokens. */
export class TaskOpenError extends LumoAuthError {
  override readonly name = 'TaskOpenError'
  readonly taskId: string | undefined
  constructor(taskId: string | undefined) {
    super('task_open', `complete ${taskId ?? 'the task being opened'} before opening another`)
    this.taskId = taskId
  }
}

/**
 * The request waits for a person, and `whenPending: 'throw'` tells the caller so. Keep the context with
 * `suspend()`, and go on with `agent.resume()` once the person has decided.
 */
export class ApprovalPendingError extends LumoAuthError {
  override readonly name = 'ApprovalPendingError'
  readonly requestId: string
  readonly required: AuthorizationDetail
  constructor(requestId: string, required: AuthorizationDetail) {
    super('approval_pending', `${requestId} waits for a person's approval`)
    this.requestId = requestId
    this.required = structuredClone(required)
  }
}

/** Nobody decided within the time the caller was ready to wait. */
export class ApprovalTimeoutError extends LumoAuthError {
  override readonly name = 'ApprovalTimeoutError'
  readonly limit: number
  constructor(what: string, limit: number, facts?: ErrorFacts) {
    super('approval_timeout', `${what}: not decided within ${limit} s`, facts)
    this.limit = limit
  }
}

/**
 * Why an escalation came to nothing. `not_allowed`: the caller's own `allow` said no, nothing was
 * asked. `timeout`: nobody decided in time. `issuer`: the issuer refused, see `cause`. The others are
 * the final status of the request.
 */
export type RefusalReason = 'not_allowed' | 'denied' | 'expired' | 'revoked' | 'timeout' | 'issuer'

/** The permission a resource server asked for was not obtained. */
export class EscalationRefusedError extends LumoAuthError {
  override readonly name = 'EscalationRefusedError'
  readonly reason: RefusalReason
  readonly required: AuthorizationDetail

  constructor(
    reason: RefusalReason,
    required: AuthorizationDetail,
    message: string,
    facts?: ErrorFacts,
  ) {
    super('escalation_refused', message, facts)
    this.reason = reason
    this.required = structuredClone(required)
  }
}

/** A task could not be completed: its tokens may live until they expire. */
export class CompletionError extends LumoAuthError {
  override readonly name = 'CompletionError'
  readonly taskId: string
  constructor(taskId: string, facts: ErrorFacts) {
    super('completion_failed', `${taskId} is left over: it could not be completed`, facts)
    this.taskId = taskId
  }
}

/**
 * Nobody can say whether a task was opened: no answer came that could be read, see `cause`. LumoAuth
 * has no call that would find it; if it is there, no token was granted in it, and it ends in its time.
 */
export class OpeningError extends LumoAuthError {
  override readonly name = 'OpeningError'
  constructor(what: string, facts: ErrorFacts) {
    super('opening_unknown', `${what}: it may be left over, its opening was not answered`, facts)
  }
}

/** A body too long to be held for a retry; nothing was sent. */
export class BodyNotReplayableError extends LumoAuthError {
  override readonly name = 'BodyNotReplayableError'
  constructor(message: string) {
    super('body_not_replayable', message)
  }
}

/** A redirect that would carry a token, or a body, to where it was not meant for. */
export class RedirectRefusedError extends LumoAuthError {
  override readonly name = 'RedirectRefusedError'
  constructor(message: string) {
    super('redirect_refused', message)
  }
}

/** A copy of a foreign error that is safe to print. */
const toPrintableCause = (cause: unknown, secrets: readonly string[] = []): unknown => {
  if (cause instanceof LumoAuthError) return cause
  if (!(cause instanceof Error)) return redact(String(cause), secrets)
  const copy = new Error(
    redact(cause.message, secrets),
    cause.cause === undefined ? {} : { cause: toPrintableCause(cause.cause, secrets) },
  )
  copy.name = cause.name
  copy.stack = redactLines(cause.stack ?? `${cause.name}: ${cause.message}`, secrets)
  return 'code' in cause && typeof cause.code === 'string'
    ? Object.assign(copy, { code: cause.code })
    : copy
}

const redactLines = (stack: string, secrets: readonly string[]) =>
  stack
    .split('\n')
    .map((line) => redact(line, secrets))
    .join('\n')
