import { lumoauthHarness, type Running } from '../support/running.ts'

export type Ready = Readonly<
  Record<'issuer' | 'api' | 'tenant' | 'client_id' | 'client_secret' | 'control_token', string>
>

/** `start` in its own process, once it has printed its ready line. */
export const started = async (
  args: readonly string[],
  options: Parameters<typeof lumoauthHarness>[1] = {},
): Promise<{ running: Running; ready: Ready }> => {
  const running = lumoauthHarness(['start', '--json', '--algorithm', 'ES256', ...args], options)
  const [line] = await running.prints('stdout', /^.*\n/)
  return { running, ready: JSON.parse(line) }
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
export type Answered = Readonly<{ status: number; body: any }>

/** One exchange; undefined when no complete response came. */
export const asked = async (
  url: string,
  {
    method = 'GET',
    token,
    body,
    form,
  }: { method?: string; token?: string; body?: object; form?: Record<string, string> } = {},
): Promise<Answered | undefined> => {
  try {
    const answer = await fetch(url, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
  } catch {
    return undefined
  }
}

/**
 * The tenant that a `Witness` works in, as a configuration file. Its clock is frozen, and its
 * policy stays the same however many requests are denied.
 */
export const witnessed = `
tenant: acme
clock: 2026-01-01T00:00:00Z
policy:
  scoring: { agent_from: 1000000000, agent_denials: 1000000000 }
  rules:
    - { name: a person decides, when: { type: user_data }, risk: critical, decision: ask }
    - { name: approved, risk: low, decision: approve }
`

/** An agent and its approver at work, who record the responses. */
export class Witness {
  /** The states a restart may show: several where no response came. */
  readonly requests = new Map<string, Set<string>>()
  readonly tokens = new Map<string, Set<boolean>>()
  readonly documents = new Map<string, Set<string | undefined>>()
  readonly #ready: Ready
  readonly #random: () => number
  readonly #ask: typeof asked
  #count = 0
  agent = ''
  approver = ''

  /** @param ask returns undefined also when a response acknowledges nothing */
  constructor(ready: Ready, random: () => number, ask = asked) {
    this.#ask = ask
    this.#ready = ready
    this.#random = random
  }

  get told(): number {
    return this.requests.size + this.tokens.size + this.documents.size
  }

  get #base() {
    return `${this.#ready.issuer}/t/${this.#ready.tenant}/api/v1`
  }

  async signIn(): Promise<void> {
    const { issuer, tenant, control_token: token, client_id, client_secret } = this.#ready
    const form = { grant_type: 'client_credentials', client_id, client_secret }
    const agent = await this.#ask(`${this.#base}/oauth/token`, { method: 'POST', form })
    const url = `${issuer}/_harness/tenants/${tenant}/user-token`
    const approver = await this.#ask(url, { method: 'POST', token, body: {} })
    this.agent = agent?.body.access_token
    this.approver = approver?.body.access_token
    this.tokens.set(this.agent, new Set([true]))
  }

  /** Works until a response is missing, or it is stopped. */
  async work(worker: number, isOver = () => false): Promise<void> {
    while (!isOver() && (await this.#task(worker)));
  }

  /** Takes over the records and the credentials of another. */
  adopt(other: Witness): void {
    for (const known of ['requests', 'tokens', 'documents'] as const) {
      for (const [id, may] of other[known]) (this[known] as Map<string, unknown>).set(id, may)
    }
    this.agent = other.agent
    this.approver = other.approver
  }

  async #task(worker: number): Promise<boolean> {
    const [post, decide] = [this.#caller(this.agent), this.#caller(this.approver)]
    const task = await post('/jit/task', {})
    if (task === undefined) return false
    const { task_id } = task.body
    const request = (authorization_details: object) =>
      post('/jit/request', { task_id, authorization_details })

    const identifier = `w${worker}`
    const written = await request({ type: 'file_access', actions: ['write'], identifier })
    if (written === undefined) return false
    this.requests.set(written.body.request_id, new Set(['approved']))
    const token = await post(`/jit/request/${written.body.request_id}/token`)
    if (token === undefined) return false
    const jit: string = token.body.access_token
    this.tokens.set(jit, new Set([true]))
    if (!(await this.#write(identifier, jit))) return false

    const asks = await request({ type: 'user_data', actions: ['read'], identifier })
    if (asks === undefined) return false
    const { request_id } = asks.body
    const may = this.requests.set(request_id, new Set(['pending'])).get(request_id)
    const [verb, status] = this.#random() < 0.5 ? ['approve', 'approved'] : ['deny', 'denied']
    may?.add(status as string)
    if ((await decide(`/jit/${verb}/${request_id}`, {})) === undefined) return false
    may?.delete('pending')

    const form = { token: jit }
    const alive = this.tokens.get(jit)
    alive?.add(false)
    // An approved request in an ended task reads as revoked.
    for (const id of [written.body.request_id, request_id]) this.requests.get(id)?.add('revoked')
    const ended =
      this.#random() < 0.5
        ? await this.#asClient('/oauth/revoke', form)
        : await post(`/jit/task/${task_id}/complete`)
    if (ended === undefined) return false
    // An error response acknowledges nothing.
    if (ended.status >= 400)
      throw new Error(`ending: ${ended.status} ${JSON.stringify(ended.body)}`)
    alive?.delete(true)
    return (await post(`/jit/task/${task_id}/complete`)) !== undefined
  }

  async #write(id: string, token: string): Promise<boolean> {
    const title = `version ${++this.#count}`
    const may = this.documents.get(id) ?? new Set([undefined])
    may.add(title)
    const answer = await this.#ask(
      `${this.#ready.api}/t/${this.#ready.tenant}/v1/documents/${id}`,
      {
        method: 'PUT',
        token,
        body: { title, body: 'text', classification: 'public' },
      },
    )
    if (answer === undefined) {
      this.documents.set(id, may)
      return false
    }
    if (answer.status >= 400) throw new Error(`PUT ${id}: ${JSON.stringify(answer)}`)
    this.documents.set(id, new Set([title]))
    return true
  }

  /** Each difference from what was recorded, in words. */
  async complaints(sample = 1): Promise<string[]> {
    const complaints: string[] = []
    const check = async (
      what: string,
      may: ReadonlySet<unknown>,
      found: () => Promise<unknown>,
    ) => {
      if (this.#random() >= sample) return
      const is = await found()
      if (!may.has(is)) complaints.push(`${what} is ${is}, not ${[...may].join(' or ')}`)
    }
    for (const [id, may] of this.requests) {
      await check(`request ${id}`, may, async () => {
        const seen = await this.#ask(`${this.#base}/jit/request/${id}/status`, {
          token: this.agent,
        })
        return seen?.body.status
      })
    }
    for (const [token, may] of this.tokens) {
      await check(`token ${token.slice(-8)}`, may, async () => {
        const seen = await this.#asClient('/oauth/introspect', { token })
        return seen?.body.active
      })
    }
    for (const [id, may] of this.documents) {
      await check(`document ${id}`, may, async () => {
        const url = `${this.#ready.api}/t/${this.#ready.tenant}/v1/documents/${id}`
        return (await this.#ask(url, { token: this.agent }))?.body.title
      })
    }
    return complaints
  }

  #caller = (token: string) => async (path: string, body?: object) => {
    const answer = await this.#ask(this.#base + path, {
      method: 'POST',
      token,
      ...(body === undefined ? {} : { body }),
    })
    if (answer !== undefined && answer.status >= 400) {
      throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    }
    return answer
  }

  #asClient(path: string, form: Record<string, string>) {
    const { client_id, client_secret } = this.#ready
    return this.#ask(this.#base + path, {
      method: 'POST',
      form: { ...form, client_id, client_secret },
    })
  }
}
