import { cloneMessage } from '../../../server/wire/clone-message.ts'
import { parseJson } from '../../../server/wire/json.ts'
import { basic } from '../../language/basic-auth.ts'
import { isObject } from '../../language/match.ts'
import type { AgentAccess } from './access.ts'

type Send = (request: Request) => Promise<Response>

/** An open task. */
type Open = Readonly<{ id: string; base: string; authorization: string; owner: object }>

/** Another object created at the issuer, and how to delete it, if possible. */
type Made = Readonly<{ what: string; owner: object; undo?: Request }>

/**
 * Everything created at an issuer, for cleaning up after any error. It reads the exchanges, so
 * callers need not report.
 */
export class Ledger {
  readonly #open: Open[] = []
  #made: Made[] = []
  #unsure = 0
  readonly #send: Send
  readonly #agents: readonly AgentAccess[]

  /** @param send must work after an interruption */
  constructor(agents: readonly AgentAccess[], send: Send) {
    this.#agents = agents
    this.#send = send
  }

  /** Records what an exchange created or completed. */
  async note(request: Request, response: Response | undefined, owner: object): Promise<void> {
    if (request.method === 'GET') return
    const { pathname, origin } = new URL(request.url)
    const [, prefix, path = ''] = /^(.*\/api\/v1)(\/.*)$/.exec(pathname) ?? []
    if (prefix === undefined) return
    const base = origin + prefix
    if (path === '/jit/task') {
      const id = response?.ok ? fieldIn(await cloneMessage(response).text(), 'task_id') : undefined
      if (id === undefined && (response === undefined || response.ok)) this.#unsure += 1
      const authorization = request.headers.get('authorization') ?? ''
      if (id !== undefined) this.#open.push({ id, base, authorization, owner })
      return
    }
    const done = /^\/jit\/task\/([^/]+)\/complete$/.exec(path)?.[1]
    if (done !== undefined && response?.ok) this.#forget(decodeURIComponent(done))
    else if (response?.ok && request.method === 'POST' && persistentRoutes.test(path)) {
      const undo = undoOf(request, await cloneMessage(response).text())
      this.#made.push({ what: `POST ${pathname}`, owner, ...(undo && { undo }) })
    }
  }

  #forget(id: string) {
    const at = this.#open.findIndex((it) => it.id === id)
    if (at >= 0) this.#open.splice(at, 1)
  }

  get open(): number {
    return this.#open.length
  }

  /**
   * Completes what is open, newest first.
   * @param owner absent: of every owner
   * @returns a line for each object that could not be completed or deleted
   */
  async close(owner?: object): Promise<string[]> {
    const left: string[] = []
    const theirs = this.#open.filter((it) => owner === undefined || it.owner === owner)
    for (const task of theirs.reverse()) {
      const why = await this.#complete(task).catch((error) => String(error?.message ?? error))
      if (why === undefined) this.#forget(task.id)
      else left.push(`the task ${task.id} is not completed: ${why}`)
    }
    await this.#undo(owner)
    if (owner !== undefined) return left
    return [
      ...left,
      ...(this.#unsure === 0
        ? []
        : [`${this.#unsure} requests for a task returned no id; these tasks may be open`]),
      ...this.#made.map(({ what }) => `what ${what} created still exists`),
    ]
  }

  /** Deletes streams and clients; what no longer exists counts as deleted (401: RFC 7592 §2.3). */
  async #undo(owner: object | undefined) {
    for (const made of this.#made.toReversed()) {
      if (made.undo === undefined || (owner !== undefined && made.owner !== owner)) continue
      const { status } = await this.#send(cloneMessage(made.undo)).catch(() => ({ status: 0 }))
      if (status === 401 || status === 404 || (status >= 200 && status < 300)) {
        this.#made = this.#made.filter((it) => it !== made)
      }
    }
  }

  async #complete({ id, base, authorization }: Open): Promise<string | undefined> {
    const url = `${base}/jit/task/${encodeURIComponent(id)}/complete`
    const attempt = async (authorization: string) => {
      const response = await this.#send(
        new Request(url, { method: 'POST', headers: { authorization } }),
      )
      return { status: response.status, text: await response.text() }
    }
    const first = await attempt(authorization)
    if (isEnded(first)) return undefined
    if (first.status !== 401 && first.status !== 403) return `complete answered ${first.status}`
    for (const agent of this.#agents) {
      const token = await this.#signIn(base, agent)
      if (token !== undefined && isEnded(await attempt(`Bearer ${token}`))) return undefined
    }
    return `complete answered ${first.status}`
  }

  async #signIn(base: string, agent: AgentAccess): Promise<string | undefined> {
    const response = await this.#send(
      new Request(`${base}/oauth/token`, {
        method: 'POST',
        headers: { authorization: basic(agent) },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      }),
    )
    const body = parseJson(await response.text())
    return isObject(body) && typeof body.access_token === 'string' ? body.access_token : undefined
  }
}

/** Completed now or before. */
const isEnded = ({ status, text }: { status: number; text: string }) => {
  if (status >= 200 && status < 300) return true
  const body = parseJson(text)
  return isObject(body) && (body.error === 'task_not_active' || body.code === 'task_not_active')
}

/** What remains at an issuer after the run. */
const persistentRoutes = /^\/(?:agents\/register|connect\/register|ssf\/stream|mcp\/servers)/

/** Deletes a stream (SSF §7.1.1.5) or a registered client (RFC 7592 §2.3), where the answer says how. */
const undoOf = (request: Request, body: string): Request | undefined => {
  const remove = (url: string, authorization: string) =>
    new Request(url, { method: 'DELETE', headers: { authorization } })
  const stream = fieldIn(body, 'stream_id')
  if (stream !== undefined) {
    const authorization = request.headers.get('authorization') ?? ''
    return remove(`${request.url}?stream_id=${encodeURIComponent(stream)}`, authorization)
  }
  const uri = fieldIn(body, 'registration_client_uri')
  const token = fieldIn(body, 'registration_access_token')
  const isHere = uri !== undefined && URL.parse(uri)?.origin === new URL(request.url).origin
  return isHere && token !== undefined ? remove(uri, `Bearer ${token}`) : undefined
}

const fieldIn = (text: string, field: string): string | undefined => {
  const body = parseJson(text)
  const value = isObject(body) ? body[field] : undefined
  return typeof value === 'string' ? value : undefined
}
