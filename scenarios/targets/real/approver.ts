import { cloneMessage } from '../../../server/wire/clone-message.ts'
import type { ApproverScript } from '../../../server/wire/index.ts'
import { isObject } from '../../language/match.ts'
import { SkipScenario } from '../../language/target.ts'
import { waitUnlessInterrupted } from './rate-limited-fetch.ts'

type Send = (request: Request) => Promise<Response>

export type ApproverOptions = Readonly<{
  /** Token of the approver we act as; absent: a real person is asked. */
  token: string | undefined
  /** Seconds a real person has to decide. */
  patience: number
  /** Ends waiting for a person. */
  signal: AbortSignal
  say: (line: string) => void
}>

/**
 * The approver of a scenario. With a token, decides as that user when the script says so. Without
 * one, asks a real person and waits.
 */
export class Approver {
  readonly #options: ApproverOptions
  readonly #polls = new Map<string, number>()
  /** When each request was made, in milliseconds. */
  readonly #requestedAt = new Map<string, number>()
  /** Requests that the approver decided. */
  readonly #decided = new Set<string>()
  #script: ApproverScript | undefined

  constructor(options: ApproverOptions) {
    this.#options = options
  }

  follow(script: ApproverScript): void {
    this.#script = script
  }

  /**
   * Sends a request. Before a status request the approver decides that request, as the scripted
   * approver of the mock does: every request of the scenario, each once.
   * @throws {SkipScenario} where a real person did not decide, or decided differently
   */
  async around(request: Request, send: Send): Promise<Response> {
    const script = this.#script
    const [, base, id] = statusPath.exec(request.url) ?? []
    if (id === undefined || !base) return this.#noteRequest(request, await send(request))
    if (script === undefined || script.decision === 'ignore' || this.#decided.has(id)) {
      return send(request)
    }
    const polls = this.#polls.get(id) ?? 0
    this.#polls.set(id, polls + 1)
    const due = (this.#requestedAt.get(id) ?? 0) + script.after * 1000
    const isDue = polls >= script.after_polls && Date.now() >= due
    if (!isDue) return send(request)
    if (this.#options.token === undefined) return this.#byHand(request, id, script, send)
    await this.#decide(base, id, script, send)
    return send(request)
  }

  async #decide(base: string, id: string, script: ApproverScript, send: Send) {
    const { decision, reason, ttl } = script
    const body =
      decision === 'deny'
        ? { ...(reason && { reason, agent_message: reason }) }
        : { ...(reason && { notes: reason, agent_message: reason }), ...(ttl && { ttl }) }
    this.#decided.add(id)
    await send(
      new Request(`${base}/jit/${decision}/${id}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${this.#options.token}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(body),
      }),
    )
  }

  /** Notes when a request was made: the script may let the approver wait from then on. */
  async #noteRequest(request: Request, response: Response): Promise<Response> {
    if (request.method !== 'POST' || !requestPath.test(request.url) || !response.ok) return response
    const body: unknown = await cloneMessage(response)
      .json()
      .catch(() => undefined)
    const id = isObject(body) ? body.request_id : undefined
    if (typeof id === 'string') this.#requestedAt.set(id, Date.now())
    return response
  }

  /** Waits for a person, and returns the issuer's answer after the decision. */
  async #byHand(request: Request, id: string, script: ApproverScript, send: Send) {
    const { patience, signal, say } = this.#options
    const until = Date.now() + patience * 1000
    for (let told = false; ; told = true) {
      // A person needs longer than the timeout of an answer.
      const response = await send(new Request(request, { signal: null }))
      const body: unknown = await cloneMessage(response)
        .json()
        .catch(() => undefined)
      const status = isObject(body) ? body.status : undefined
      if (status !== 'pending') {
        if (told && typeof status === 'string' && status !== outcome[script.decision]) {
          throw new SkipScenario(
            `the person was asked to ${script.decision} the request, but it is ${status}`,
          )
        }
        return response
      }
      const left = until - Date.now()
      if (left <= 0) {
        throw new SkipScenario(
          `no person decided within ${patience} s (approver: manual; limits: { person: … })`,
        )
      }
      if (!told)
        say(describeApproval(request, id, body as Readonly<Record<string, unknown>>, script))
      const { interval } = body as { interval?: unknown }
      const between = typeof interval === 'number' && interval > 0 ? interval : 5
      await waitUnlessInterrupted(Math.min(left, between * 1000), signal)
    }
  }
}

const outcome: Readonly<Record<string, string>> = { approve: 'approved', deny: 'denied' }

/** One line for the person: what to decide, where, and until when. */
const describeApproval = (
  { url }: Request,
  id: string,
  { task_id, approval_url, expires_at }: Readonly<Record<string, unknown>>,
  { decision, reason, ttl }: ApproverScript,
): string => {
  const page = approval_url ?? (typeof task_id === 'string' && pageOf(task_id))
  const until = Date.parse(String(expires_at))
  return [
    `please ${decision} the request ${id}`,
    ...(typeof page === 'string' && URL.canParse(page, url) ? [`at ${new URL(page, url)}`] : []),
    ...(ttl === undefined ? [] : [`for ${ttl} s`]),
    ...(reason === undefined ? [] : [`with the reason ${JSON.stringify(reason)}`]),
    ...(Number.isNaN(until) ? [] : [`until ${new Date(until).toISOString()}`]),
  ].join(' ')
}

/** Where a person decides about a task (CONTRACT.md#older-jit-form). */
const pageOf = (taskId: string) => `/approve/${encodeURIComponent(taskId)}`

const requestPath = /\/jit\/request$/

const statusPath = /^(.*)\/jit\/request\/([^/]+)\/status$/
