import type { ApproverScript } from '../../server/wire/index.ts'
import { isObject } from '../runner/match.ts'

type Send = (request: Request) => Promise<Response>

/**
 * The person a scenario takes as given. With a token we answer in their name, when the script says so;
 * without one, a real person is told what waits, and has until the request expires.
 */
export class Approver {
  readonly #token: string | undefined
  readonly #say: (line: string) => void
  readonly #polls = new Map<string, number>()
  readonly #told = new Set<string>()
  #script: ApproverScript | undefined
  #since = 0

  constructor({ token, say }: { token: string | undefined; say: (line: string) => void }) {
    this.#token = token
    this.#say = say
  }

  follow(script: ApproverScript): void {
    this.#script = script
    this.#since = Date.now()
  }

  /** Sends a request; one that looks at a pending request first lets the person answer it. */
  async around(request: Request, send: Send): Promise<Response> {
    const script = this.#script
    const [, base, id] = statusPath.exec(request.url) ?? []
    if (script === undefined || script.decision === 'ignore' || id === undefined || !base) {
      return send(request)
    }
    if (this.#token === undefined) return this.#byHand(request, id, send)
    const polls = this.#polls.get(id) ?? 0
    this.#polls.set(id, polls + 1)
    const isDue = polls >= script.after_polls && Date.now() >= this.#since + script.after * 1000
    if (isDue) await this.#decide(base, id, script, send)
    return send(request)
  }

  async #decide(base: string, id: string, script: ApproverScript, send: Send) {
    const { decision, reason, ttl } = script
    const body =
      decision === 'deny'
        ? { ...(reason && { reason }) }
        : { ...(reason && { notes: reason }), ...(ttl && { ttl }) }
    await send(
      new Request(`${base}/jit/${decision}/${id}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    )
    this.#script = undefined
  }

  /** Waits for a person, as long as the request does. */
  async #byHand(request: Request, id: string, send: Send): Promise<Response> {
    for (;;) {
      const response = await send(request.clone())
      const body: unknown = await response
        .clone()
        .json()
        .catch(() => undefined)
      if (!isObject(body) || body.status !== 'pending') return response
      if (!this.#told.has(id)) {
        this.#told.add(id)
        const until = typeof body.expires_at === 'string' ? `, until ${body.expires_at}` : ''
        const url = typeof body.approval_url === 'string' ? ` at ${body.approval_url}` : ''
        this.#say(`please ${this.#script?.decision} the request ${id}${url}${until}`)
      }
      const interval = typeof body.interval === 'number' ? body.interval : 5
      await new Promise((resolve) => setTimeout(resolve, interval * 1000))
    }
  }
}

const statusPath = /^(.*)\/jit\/request\/([^/]+)\/status$/
