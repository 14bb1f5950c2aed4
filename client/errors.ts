import type { AuthorizationDetail } from '../server/wire/authorization-detail.ts'
import { redact } from './redact.ts'

/** Every error code of the client. The meaning of a code never changes. */
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

/** Further facts of an error. */
export type ErrorFacts = Readonly<{
  cause?: unknown
  /** Texts to redact, besides everything with the shape of a token. */
  secrets?: readonly string[] | undefined
}>

/**
 * The base class of all errors of this client. Message and cause never contain a token or a secret: the
 * cause is a copy of the original error's name, code and redacted message.
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

  /** For logs: everything except the stack. */
  toJSON(): Record<string, unknown> {
    return { ...(this as object), name: this.name, message: this.message }
  }
}

/** Invalid options or arguments. */
export class ConfigError extends LumoAuthError {
  override readonly name = 'ConfigError'
  constructor(message: string, facts?: ErrorFacts) {
    super('config_error', message, facts)
  }
}

/** The server could not be reached. */
export class NetworkError extends LumoAuthError {
  override readonly name = 'NetworkError'
  constructor(message: string, facts?: ErrorFacts) {
    super('network_error', message, facts)
  }
}

/** The server did not answer in time. */
export class DeadlineExceededError extends LumoAuthError {
  override readonly name = 'DeadlineExceededError'
  constructor(what: string, seconds: number) {
    super('deadline_exceeded', `${what}: no answer within ${seconds} s`)
  }
}

/** A successful answer with an unexpected body. */
export class InvalidAnswerError extends LumoAuthError {
  override readonly name = 'InvalidAnswerError'
  constructor(message: string, facts?: ErrorFacts) {
    super('invalid_answer', message, facts)
  }
}

/** The facts of an error answer of the issuer. */
export type ServerRefusal = Readonly<{
  status: number
  /** `code`, else `error`, of the body. */
  serverCode?: string | undefined
  /** `error_description`, else `message`, else `detail`, of the body. */
  description?: string | undefined
}>

/** An error answer of the issuer. Subclasses name the statuses that callers handle. */
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

/** 401: the issuer rejects the credentials or the token. */
export class AuthenticationError extends ApiError {
  override readonly name = 'AuthenticationError'
  constructor(what: string, refusal: ServerRefusal, facts?: ErrorFacts) {
    super(what, refusal, facts, 'authentication_error')
  }
}

/** 403: the agent may not do this. */
export class PermissionDeniedError extends ApiError {
  override readonly name = 'PermissionDeniedError'
  constructor(what: string, refusal: ServerRefusal, facts?: ErrorFacts) {
    super(what, refusal, facts, 'permission_denied')
  }
}

/** 404: the resource is unknown. */
export class NotFoundError extends ApiError {
  override readonly name = 'NotFoundError'
  constructor(what: string, refusal: ServerRefusal, facts?: ErrorFacts) {
    super(what, refusal, facts, 'not_found')
  }
}

/** 429, with the seconds to wait if the server sent them. */
export class RateLimitedError extends ApiError {
  override readonly name = 'RateLimitedError'
  readonly retryAfter: number | undefined
  /** The interval between polls in a `slow_down`. */
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

/** 503, with the seconds to wait if the server sent them. */
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

/** A call that requires an open task came before the task was opened or after it was completed. */
export class NoTaskError extends LumoAuthError {
  override readonly name = 'NoTaskError'
  constructor(message: string) {
    super('no_task', message)
  }
}

/** A second task would replace an open one, whose tokens would never be revoked. */
export class TaskOpenError extends LumoAuthError {
  override readonly name = 'TaskOpenError'
  readonly taskId: string | undefined
  constructor(taskId: string | undefined) {
    super('task_open', `complete ${taskId ?? 'the task being opened'} before opening another`)
    this.taskId = taskId
  }
}

/**
 * The request is pending, and `whenPending` is `'throw'`. Keep the context with `suspend()`, and
 * continue with `agent.resume()` after the decision.
 */
export class ApprovalPendingError extends LumoAuthError {
  override readonly name = 'ApprovalPendingError'
  readonly requestId: string
  readonly required: AuthorizationDetail
  constructor(requestId: string, required: AuthorizationDetail) {
    super('approval_pending', `${requestId} waits for approval`)
    this.requestId = requestId
    this.required = structuredClone(required)
  }
}

/** The request was not decided within the caller's limit. */
export class ApprovalTimeoutError extends LumoAuthError {
  override readonly name = 'ApprovalTimeoutError'
  readonly limit: number
  constructor(what: string, limit: number, facts?: ErrorFacts) {
    super('approval_timeout', `${what}: not decided within ${limit} s`, facts)
    this.limit = limit
  }
}

/**
 * Why an escalation failed. `not_allowed`: the caller's own `allow` does not permit it, nothing was
 * requested. `timeout`: not decided in time. `issuer`: the issuer returned an error, see `cause`. The
 * others are the final status of the request.
 */
export type RefusalReason = 'not_allowed' | 'denied' | 'expired' | 'revoked' | 'timeout' | 'issuer'

/** The permission that a resource server requires was not granted. */
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

/** A task could not be completed. Its tokens may stay valid until they expire. */
export class CompletionError extends LumoAuthError {
  override readonly name = 'CompletionError'
  readonly taskId: string
  constructor(taskId: string, facts: ErrorFacts) {
    super(
      'completion_failed',
      `${taskId} could not be completed; its tokens stay valid until they expire`,
      facts,
    )
    this.taskId = taskId
  }
}

/**
 * Whether a task was opened is unknown: no readable answer arrived, see `cause`. LumoAuth has no call
 * to find it. If it exists, it has no tokens, and it expires.
 */
export class OpeningError extends LumoAuthError {
  override readonly name = 'OpeningError'
  constructor(what: string, facts: ErrorFacts) {
    super(
      'opening_unknown',
      `${what}: the task may be open, because the issuer’s answer did not arrive`,
      facts,
    )
  }
}

/** A body is too long to be kept for a retry; nothing was sent. */
export class BodyNotReplayableError extends LumoAuthError {
  override readonly name = 'BodyNotReplayableError'
  constructor(message: string) {
    super('body_not_replayable', message)
  }
}

/** A redirect would send a token, or a body, to another origin. */
export class RedirectRefusedError extends LumoAuthError {
  override readonly name = 'RedirectRefusedError'
  constructor(message: string) {
    super('redirect_refused', message)
  }
}

/** A copy of another library's error that is safe to print. */
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
