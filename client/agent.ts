import type { z } from 'zod'
import { parseJson } from '../server/wire/json.ts'
import { longestAnswer, readText } from '../server/wire/read-text.ts'
import { oauthRoutes } from '../server/wire/routes/oauth.ts'
import type { Route } from '../server/wire/routes/route.ts'
import type { Allow } from './allow.ts'
import { RefusalBody, TokenGrant, UserInfo } from './answers.ts'
import {
  ApiError,
  AuthenticationError,
  ConfigError,
  InvalidAnswerError,
  type LumoAuthError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitedError,
  UnavailableError,
} from './errors.ts'
import { JitContext, type JitOptions, type SuspendedTask, type TaskOrder } from './jit-context.ts'
import { toFetchError } from './network-failure.ts'
import { secondsToWait } from './poll.ts'
import { redact } from './redact.ts'
import { SingleFlight } from './single-flight.ts'
import { type Now, type Sleep, systemNow, systemSleep, withDeadline } from './time.ts'
import { typeName } from './type-name.ts'

/** The type of `globalThis.fetch`. A replacement must behave like it. */
export type Fetch = typeof globalThis.fetch

/** Options of an agent. Each defaults to its environment variable, then to the given default. */
export type AgentOptions = Readonly<{
  /** Origin of the issuer. `LUMOAUTH_URL`, default `https://app.lumoauth.dev`. */
  url?: string
  /** Slug, for paths `/t/{tenant}`. `LUMOAUTH_TENANT`. */
  tenant?: string
  /** Slug, for paths `/orgs/{orgId}`. `LUMOAUTH_ORG_ID`; where both variables are set, the tenant's. */
  orgId?: string
  /** `AGENT_CLIENT_ID`. */
  clientId?: string
  /** `AGENT_CLIENT_SECRET`. */
  clientSecret?: string
  /** Scopes to request, separated by spaces. Default: all that are registered for the agent. */
  scope?: string
  /** Origins to which `jit.fetch` may send tokens, unless a task sets its own. */
  origins?: readonly string[]
  /** Permissions that `jit.fetch` may request, unless a task sets its own. */
  allow?: Allow
  /** Timeout of one exchange, in seconds of real time. Default 30. */
  deadline?: number
  /** Sends every request. Default: the global `fetch`. */
  fetch?: Fetch
  /** Returns the current time in epoch seconds. Default: the system clock. */
  now?: Now
  sleep?: Sleep
  env?: Readonly<Record<string, string | undefined>>
}>

/** One call to the issuer. */
type Order = Readonly<{
  params?: Readonly<Record<string, string>>
  body?: unknown
  signal?: AbortSignal | undefined
}>

/** Options of `LumoAuthAgent.token`. */
export type TokenOptions = Readonly<{
  /**
   * The only resource server in the audience of the token (RFC 8707). Default: every audience the
   * issuer grants.
   */
  resource?: string | undefined
  signal?: AbortSignal | undefined
}>

/**
 * An agent that is authenticated at one tenant. It can be shared: concurrent calls share one token
 * request.
 */
export class LumoAuthAgent {
  /** Base URL of the tenant, such as `https://app.lumoauth.dev/t/acme/api/v1`. */
  readonly baseUrl: string
  readonly origins: readonly string[]
  readonly allow: Allow | undefined
  readonly deadline: number
  readonly fetch: Fetch
  readonly now: Now
  readonly sleep: Sleep
  readonly #clientId: string
  readonly #clientSecret: string
  readonly #scope: string | undefined
  readonly #logins = new SingleFlight<string>()
  /** Tokens by resource; the wide token, which has none, under undefined. */
  readonly #tokens = new Map<string | undefined, { value: string; refreshAt: number }>()

  constructor(options: AgentOptions = {}) {
    const env = options.env ?? globalThis.process?.env ?? {}
    this.baseUrl = baseUrlOf(options, env)
    this.#clientId = readRequired(options.clientId ?? env.AGENT_CLIENT_ID, 'AGENT_CLIENT_ID')
    this.#clientSecret = readRequired(
      options.clientSecret ?? env.AGENT_CLIENT_SECRET,
      'AGENT_CLIENT_SECRET',
    )
    this.#scope = options.scope
    this.origins = options.origins ?? []
    this.allow = options.allow
    this.deadline = options.deadline ?? 30
    const { fetch, now = systemNow } = options
    this.fetch = async (input, init) => readResponse(await (fetch ?? globalThis.fetch)(input, init))
    this.now = () => readTime(now())
    this.sleep = options.sleep ?? systemSleep
  }

  /** Opens a task. With `await using`, the end of the block completes it. */
  async jit(options: JitOptions = {}): Promise<JitContext> {
    const { name, type, onBehalfOf, parentTaskId, signal } = options
    const jit = new JitContext(this, options)
    await jit.createTask({ name, type, onBehalfOf, parentTaskId, signal })
    return jit
  }

  /**
   * Resumes a task that `JitContext.suspend` left open, in this process or another one, with the same
   * credentials. Requests that were approved meanwhile are used without a new request.
   */
  resume(suspended: SuspendedTask, options: Omit<JitOptions, keyof TaskOrder> = {}): JitContext {
    const jit = new JitContext(this, options)
    jit.resumeTask(suspended)
    return jit
  }

  /**
   * The agent's wide token, or its token for a single resource server. It is renewed 60 s before it
   * expires; concurrent callers share the renewal.
   */
  async token({ resource, signal }: TokenOptions = {}): Promise<string> {
    signal?.throwIfAborted()
    return this.#known(resource) ?? this.authenticate({ resource, signal })
  }

  /** Requests a new token, even when one is cached. */
  async authenticate({ resource, signal }: TokenOptions = {}): Promise<string> {
    return this.#logins.run(
      `login ${resource ?? ''}`,
      (shared) => this.#login(resource, shared),
      signal,
    )
  }

  /** Deletes a cached token. Call it when a resource server rejects the token. */
  forgetToken(token: string): void {
    for (const [resource, { value }] of this.#tokens) {
      if (value === token) this.#tokens.delete(resource)
    }
  }

  /** Claims and budget of the agent (userinfo). */
  async userinfo({ signal }: { signal?: AbortSignal } = {}): Promise<UserInfo> {
    return this.call(oauthRoutes['oauth.userinfo'], UserInfo, { signal })
  }

  /** Calls a route as this agent. A cached token that gets 401 is renewed once. */
  async call<T>(route: Route, answer: z.ZodType<T>, order: Order = {}): Promise<T> {
    const known = this.#known()
    try {
      const { signal } = order
      return await this.#as(known ?? (await this.token({ signal })), route, answer, order)
    } catch (error) {
      if (known === undefined || !(error instanceof AuthenticationError)) throw error
      this.forgetToken(known)
      return this.#as(await this.token({ signal: order.signal }), route, answer, order)
    }
  }

  #known(resource?: string): string | undefined {
    const token = this.#tokens.get(resource)
    return token !== undefined && this.now() < token.refreshAt ? token.value : undefined
  }

  async #login(resource: string | undefined, signal: AbortSignal): Promise<string> {
    const asked = this.now()
    const { access_token, expires_in } = await this.#send(oauthRoutes['oauth.token'], TokenGrant, {
      signal,
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: this.#clientId,
        client_secret: this.#clientSecret,
        ...(this.#scope === undefined ? {} : { scope: this.#scope }),
        ...(resource === undefined ? {} : { resource }),
      }),
    })
    this.#tokens.set(resource, {
      value: access_token,
      refreshAt: asked + expires_in - Math.min(60, expires_in / 2),
    })
    return access_token
  }

  #as<T>(token: string, route: Route, answer: z.ZodType<T>, order: Order): Promise<T> {
    return this.#send(route, answer, order, token)
  }

  /** Sends one request. Does not follow redirects, because they would send credentials elsewhere. */
  async #send<T>(
    route: Route,
    answer: z.ZodType<T>,
    { params, body, signal }: Order,
    token?: string,
  ): Promise<T> {
    const path = pathOf(route, params)
    const what = `${route.method} ${path}`
    const secrets = [this.#clientSecret, ...(token === undefined ? [] : [token])]
    const form = body instanceof URLSearchParams
    const reply = await withDeadline(what, this.deadline, signal, async (signal) => {
      try {
        const response = await this.fetch(this.baseUrl + path, {
          method: route.method,
          headers: {
            accept: 'application/json',
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined
              ? {}
              : { 'content-type': `application/${form ? 'x-www-form-urlencoded' : 'json'}` }),
          },
          // A form is sent as text, because the `fetch` of Node does not know the forms of jsdom.
          ...(body === undefined ? {} : { body: form ? String(body) : JSON.stringify(body) }),
          redirect: 'manual',
          signal,
        })
        return {
          status: response.status,
          headers: response.headers,
          text: await readText(response),
        }
      } catch (cause) {
        throw toFetchError(cause, `${what}: LumoAuth could not be reached`, secrets)
      }
    })
    const { status, headers, text } = reply
    if (text === undefined) {
      throw new InvalidAnswerError(
        `${what}: expected an answer of at most ${longestAnswer} bytes; the rest was not read`,
      )
    }
    if (status < 200 || status > 299) {
      throw refusal(what, { status, headers, text }, this.now(), secrets)
    }
    const parsed = answer.safeParse(json(text))
    if (parsed.success) return parsed.data
    const where = parsed.error.issues.map(({ path }) => path.join('.') || 'the body').join(', ')
    throw new InvalidAnswerError(`${what}: unexpected answer; invalid members: ${where}`)
  }
}

const baseUrlOf = (options: AgentOptions, env: NonNullable<AgentOptions['env']>): string => {
  const { tenant, orgId } = options
  if (tenant !== undefined && orgId !== undefined) {
    throw new ConfigError('expected either tenant or orgId, received both')
  }
  const named = tenant ?? orgId
  const slug = named ?? (env.LUMOAUTH_TENANT || env.LUMOAUTH_ORG_ID)
  if (!slug) {
    throw new ConfigError(
      'missing tenant: pass `tenant` or `orgId`, or set LUMOAUTH_TENANT or LUMOAUTH_ORG_ID',
    )
  }
  const asTenant = named === undefined ? Boolean(env.LUMOAUTH_TENANT) : tenant !== undefined
  const url = options.url ?? (env.LUMOAUTH_URL || 'https://app.lumoauth.dev')
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new ConfigError('url (or LUMOAUTH_URL): expected an http(s) URL')
  }
  return `${url.replace(/\/+$/, '')}/${asTenant ? 't' : 'orgs'}/${encodeURIComponent(slug)}/api/v1`
}

/** The result of the caller's `fetch`: a response of any realm. */
const readResponse = (response: Response): Response => {
  if (typeof response?.status === 'number') return response
  throw new ConfigError(`fetch: expected a Response, received ${typeName(response)}`)
}

const readTime = (seconds: number): number => {
  if (Number.isFinite(seconds)) return seconds
  throw new ConfigError(`now: expected epoch seconds, received ${typeName(seconds)}`)
}

const readRequired = (value: string | undefined, variable: string): string => {
  if (!value)
    throw new ConfigError(`missing agent credentials: set ${variable}, or pass its option`)
  return value
}

/** The path of a route with its parameters filled in. */
const pathOf = (route: Route, params: Readonly<Record<string, string>> = {}): string =>
  route.path.replace(/:(\w+)/g, (_, name: string) => {
    const value = params[name] ?? ''
    if (/^\.{0,2}$/.test(value)) throw new ConfigError(`not an id: ${name} is "${value}"`)
    return encodeURIComponent(value)
  })

/** Parses JSON; returns invalid JSON, and JSON beyond the bounds, as text. */
const json = (text: string): unknown => (text === '' ? undefined : (parseJson(text) ?? text))

/** Redacted before it is shortened, because half a secret would not be recognised. */
const truncate = (text: string | undefined, secrets: readonly string[]) =>
  text === undefined ? undefined : redact(text, secrets).slice(0, 1000)

type Reply = Readonly<{ status: number; headers: Headers; text: string }>

const refusal = (
  what: string,
  { status, headers, text }: Reply,
  now: number,
  secrets: readonly string[],
): LumoAuthError => {
  const body = RefusalBody.parse(json(text))
  const said = {
    status,
    serverCode: body.code ?? body.error,
    description: truncate(body.error_description ?? body.message ?? body.detail, secrets),
  }
  const retryAfter = secondsToWait(headers.get('retry-after'), now) ?? body.retry_after
  switch (status) {
    case 401:
      return new AuthenticationError(what, said, { secrets })
    case 403:
      return new PermissionDeniedError(what, said, { secrets })
    case 404:
      return new NotFoundError(what, said, { secrets })
    case 429:
      return new RateLimitedError(
        what,
        { ...said, retryAfter, interval: body.interval },
        { secrets },
      )
    case 503:
      return new UnavailableError(what, { ...said, retryAfter }, { secrets })
    default:
      return new ApiError(what, said, { secrets })
  }
}
