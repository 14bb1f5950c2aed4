import { type AuthorizationDetail, canonical } from '../server/wire/authorization-detail.ts'
import { longestTtl } from '../server/wire/permission-request.ts'
import { jitRoutes } from '../server/wire/routes/jit.ts'
import type { Route } from '../server/wire/routes/route.ts'
import { type CreateTask, EvaluateTask, TaskEvaluated } from '../server/wire/task.ts'
import type { Fetch, LumoAuthAgent, TokenOptions } from './agent.ts'
import { Completion, Evaluation, JitToken, Pending, PermissionAnswer, Task } from './answers.ts'
import {
  ApiError,
  ApprovalTimeoutError,
  CompletionError,
  DeadlineExceededError,
  InvalidAnswerError,
  NetworkError,
  NoTaskError,
  OpeningError,
  RateLimitedError,
  TaskOpenError,
} from './errors.ts'
import { createJitFetch } from './jit-fetch.ts'
import type { JitFetchOptions } from './jit-fetch-options.ts'
import { isTransient, poll, retryAfterOf } from './poll.ts'
import { SingleFlight } from './single-flight.ts'

type Signalled = Readonly<{ signal?: AbortSignal | undefined }>

/** Options of a new task. */
export type TaskOrder = Signalled &
  Readonly<{
    name?: string | undefined
    type?: string | undefined
    onBehalfOf?: string | undefined
    parentTaskId?: string | undefined
  }>

/** Options of a task, of its `fetch`, and of failures to complete it. */
export type JitOptions = TaskOrder &
  Partial<JitFetchOptions> &
  Readonly<{
    /** Called instead of throwing at the end of an `await using` block. */
    onLeftover?: (error: CompletionError) => void | Promise<void>
  }>

/** Options of `requestPermission`. */
export type PermissionOptions = Signalled &
  Readonly<{
    justification?: string | undefined
    /** Lifetime of the token in seconds, at most 900. Default 300, as in LumoAuth's SDKs. */
    ttl?: number | undefined
    callbackUrl?: string | undefined
  }>

/** Options of `waitForApproval`. */
export type WaitOptions = Signalled &
  Readonly<{
    /** Maximum time to wait, in seconds. Default 300. */
    limit?: number | undefined
    /** Seconds between polls. Default: the `interval` of the request, else 5. */
    interval?: number | undefined
  }>

/**
 * A suspended task as JSON, which another process can resume. It contains no token and no secret:
 * resuming it requires the credentials of the same agent.
 */
export type SuspendedTask = Readonly<{
  task: Task
  /** The pending requests that were reported by `ApprovalPendingError` and not yet taken. */
  requests: readonly Readonly<{ request_id: string; authorization_details: AuthorizationDetail }>[]
}>

/**
 * One task and its permissions, with the calls of LumoAuth's Python SDK. Answers are returned
 * unchanged. Completing the task aborts everything that still runs in it.
 */
export class JitContext implements AsyncDisposable {
  readonly agent: LumoAuthAgent
  readonly #options: JitOptions
  readonly #completions = new SingleFlight<Completion | undefined>()
  #opening: Promise<Task> | undefined
  #task: Task | undefined
  /** Pending requests, by the canonical text of their detail. */
  #waiting = new Map<string, SuspendedTask['requests'][number]>()
  #closed = new AbortController()
  #completed: Completion | undefined
  #fetch: Fetch | undefined

  constructor(agent: LumoAuthAgent, options: JitOptions = {}) {
    this.agent = agent
    this.#options = options
  }

  /** The open task, until it is completed. A copy, as are all answers. */
  get task(): Task | undefined {
    return structuredClone(this.#task)
  }

  get taskId(): string | undefined {
    return this.#task?.task_id
  }

  /** A `fetch` that requests missing permissions and repeats the request once; see `createJitFetch`. */
  readonly fetch: Fetch = async (input, init) => {
    const { origins = this.agent.origins, allow = this.agent.allow, ...others } = this.#options
    this.#fetch ??= createJitFetch(this, { ...others, origins, ...(allow ? { allow } : {}) })
    return this.#fetch(input, init)
  }

  /**
   * Opens the task.
   * @throws {OpeningError} when it is unknown whether the task was opened
   */
  async createTask(order: TaskOrder = {}): Promise<Task> {
    if (this.#task !== undefined || this.#opening !== undefined)
      throw new TaskOpenError(this.taskId)
    this.#closed = new AbortController()
    this.#waiting = new Map()
    this.#completed = undefined
    this.#opening = this.#opened(order)
    try {
      this.#task = await this.#opening
      return structuredClone(this.#task)
    } finally {
      this.#opening = undefined
    }
  }

  /**
   * Resumes a task that `suspend` left open, in this process or another one.
   * @throws {TaskOpenError} while another task is open
   */
  resumeTask({ task, requests }: SuspendedTask): void {
    if (this.#task !== undefined || this.#opening !== undefined)
      throw new TaskOpenError(this.taskId)
    this.#closed = new AbortController()
    this.#completed = undefined
    this.#task = structuredClone(task)
    this.#waiting = new Map(
      requests.map((it) => [canonical(it.authorization_details), structuredClone(it)]),
    )
  }

  /**
   * Detaches from the task without completing it. Aborts everything that runs in it, and deletes its
   * tokens from memory.
   * @returns the input of `resumeTask`, in this process or another one
   * @throws {NoTaskError} without an open task
   */
  suspend(): SuspendedTask {
    const { task } = this.#open()
    const suspended = { task, requests: [...this.#waiting.values()] }
    this.#task = undefined
    this.#closed.abort(new NoTaskError(`${task.task_id} has been suspended`))
    return structuredClone(suspended)
  }

  /** Requests one permission. The answer may be `pending`: see `waitForApproval`. */
  async requestPermission(
    details: AuthorizationDetail,
    { justification, ttl = 300, callbackUrl, signal }: PermissionOptions = {},
  ): Promise<PermissionAnswer> {
    const { task, within } = this.#open(signal)
    return this.agent.call(jitRoutes['jit.request'], PermissionAnswer, {
      body: {
        task_id: task.task_id,
        authorization_details: details,
        requested_ttl: Math.min(ttl, longestTtl),
        ...(justification ? { justification } : {}),
        ...(callbackUrl ? { callback_url: callbackUrl } : {}),
      },
      signal: within,
    })
  }

  /** Stores a pending request, for `takeRequest` and `suspend`. */
  keepRequest(request_id: string, details: AuthorizationDetail): void {
    const authorization_details = structuredClone(details)
    this.#waiting.set(canonical(details), { request_id, authorization_details })
  }

  /**
   * The current state of the pending request for exactly this detail, so that a person is not asked
   * twice. Removes it from the stored ones. Undefined when there is none, or it has expired.
   */
  async takeRequest(
    details: AuthorizationDetail,
    { signal }: Signalled = {},
  ): Promise<PermissionAnswer | undefined> {
    const key = canonical(details)
    const kept = this.#waiting.get(key)
    if (kept === undefined) return undefined
    const { within } = this.#open(signal)
    this.#waiting.delete(key)
    try {
      const answer = await this.#status(kept.request_id, within)
      return answer.status === 'expired' ? undefined : answer
    } catch (failed) {
      this.#waiting.set(key, kept)
      throw failed
    }
  }

  /**
   * Polls until the request is not pending, and returns it, whatever its status.
   * @throws {ApprovalTimeoutError} when it is not decided within the limit
   */
  async waitForApproval(
    request: string | Pick<PermissionAnswer, 'request_id' | 'interval'>,
    { limit, interval, signal }: WaitOptions = {},
  ): Promise<PermissionAnswer> {
    const { within } = this.#open(signal)
    const asked = typeof request === 'string' ? { request_id: request } : request
    const { now, sleep } = this.agent
    return poll(
      async (signal) => {
        const seen = await this.#status(asked.request_id, signal)
        return seen.status === 'pending' ? { interval: seen.interval } : { done: seen }
      },
      {
        interval: interval ?? asked.interval,
        limit,
        now,
        sleep,
        signal: within,
        timeout: (limit, cause) => new ApprovalTimeoutError(asked.request_id, limit, { cause }),
      },
    )
  }

  /** Exchanges an approved request for its token. This works once. */
  async getToken(
    request: string | Pick<PermissionAnswer, 'request_id'>,
    { resource, signal }: TokenOptions = {},
  ): Promise<JitToken> {
    const { within } = this.#open(signal)
    const requestId = typeof request === 'string' ? request : request.request_id
    return this.agent.call(jitRoutes['jit.request.token'], JitToken, {
      params: { requestId },
      ...(resource === undefined ? {} : { body: { resource } }),
      signal: within,
    })
  }

  /**
   * Evaluates the task at the issuer, which may suspend it. A `result` may also complete it (contract
   * §7 row 8).
   */
  async evaluate({ result, notes, signal }: EvaluateTask & Signalled = {}): Promise<Evaluation> {
    const { task, within } = this.#open(signal)
    const body = { ...(result ? { result } : {}), ...(notes ? { notes } : {}) }
    return this.agent.call(evaluateRoute, Evaluation, {
      params: { taskId: task.task_id },
      ...(Object.keys(body).length === 0 ? {} : { body }),
      signal: within,
    })
  }

  /** The pending requests that this agent may read. */
  async pending({ signal }: Signalled = {}): Promise<Pending> {
    return this.agent.call(jitRoutes['jit.pending'], Pending, { signal })
  }

  /**
   * Completes the task and revokes its tokens. Further calls return the same answer without a request.
   * Undefined: there was no task, or it had ended already.
   * @throws {CompletionError} when the task could not be completed; call again to retry
   */
  async completeTask({ signal }: Signalled = {}): Promise<Completion | undefined> {
    await this.#opening?.catch(() => undefined)
    const task = this.#task
    if (task === undefined) return structuredClone(this.#completed)
    this.#closed.abort(new NoTaskError(`${task.task_id} has been completed`))
    return structuredClone(
      await this.#completions.run(task.task_id, (shared) => this.#complete(task, shared), signal),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.completeTask()
    } catch (error) {
      const { onLeftover } = this.#options
      if (onLeftover === undefined || !(error instanceof CompletionError)) throw error
      await onLeftover(error)
    }
  }

  /** Authenticates first: an error there means that no task was opened. */
  async #opened({ name, type, onBehalfOf, parentTaskId, signal }: TaskOrder): Promise<Task> {
    await this.agent.token({ signal })
    try {
      return await this.agent.call(jitRoutes['jit.task.create'], Task, {
        body: {
          ...(name ? { name } : {}),
          ...(type ? { type } : {}),
          ...(parentTaskId ? { parent_task_id: parentTaskId } : {}),
          ...(onBehalfOf ? { on_behalf_of: onBehalfOf } : {}),
        } satisfies CreateTask,
        signal,
      })
    } catch (cause) {
      const what = name ? `the task ${JSON.stringify(name)}` : 'a task'
      throw isMaybeSent(cause) ? new OpeningError(what, { cause }) : cause
    }
  }

  /** The open task, and a signal that also aborts when the task is completed. */
  #open(signal?: AbortSignal): { task: Task; within: AbortSignal } {
    if (this.#task === undefined) throw new NoTaskError('open a task first: createTask()')
    this.#closed.signal.throwIfAborted()
    return {
      task: this.#task,
      within: AbortSignal.any([this.#closed.signal, ...(signal ? [signal] : [])]),
    }
  }

  #status(requestId: string, signal?: AbortSignal): Promise<PermissionAnswer> {
    return this.agent.call(jitRoutes['jit.request.status'], PermissionAnswer, {
      params: { requestId },
      signal,
    })
  }

  async #complete(task: Task, signal: AbortSignal): Promise<Completion | undefined> {
    for (let attempt = 1; this.#task === task; attempt += 1) {
      try {
        this.#completed = await this.agent.call(jitRoutes['jit.task.complete'], Completion, {
          params: { taskId: task.task_id },
          signal,
        })
        this.#task = undefined
      } catch (cause) {
        signal.throwIfAborted()
        if (cause instanceof ApiError && cause.serverCode === 'task_not_active') {
          this.#task = undefined
        } else if (attempt < 3 && (isTransient(cause) || cause instanceof RateLimitedError)) {
          await this.agent.sleep(Math.max(attempt, Math.min(retryAfterOf(cause) ?? 0, 30)), signal)
        } else {
          throw new CompletionError(task.task_id, { cause })
        }
      }
    }
    return this.#completed
  }
}

/** Whether a failed request may have reached the issuer, with only its answer lost. */
const isMaybeSent = (error: unknown): boolean => {
  if (error instanceof ApiError) return error.status === 502 || error.status === 504
  if (error instanceof NetworkError) return !wasNeverSent(error)
  return error instanceof DeadlineExceededError || error instanceof InvalidAnswerError
}

const wasNeverSent = (error: unknown): boolean =>
  error instanceof Error &&
  (('code' in error && ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(String(error.code))) ||
    wasNeverSent(error.cause))

const evaluateRoute: Route = {
  seat: 'issuer',
  method: 'POST',
  path: '/jit/task/:taskId/evaluate',
  auth: 'bearer',
  summary: 'Evaluate a task',
  source: 'CONTRACT.md#evaluation',
  body: EvaluateTask,
  answers: { 200: TaskEvaluated },
}
