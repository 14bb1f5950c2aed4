import type { AuthorizationDetail } from '../server/wire/authorization-detail.ts'
import type { LumoAuthAgent } from './agent.ts'
import { type Allow, type Challenged, permits, reading } from './allow.ts'
import { ConfigError, type RefusalReason } from './errors.ts'
import type { JitContext } from './jit-context.ts'
import { typeName } from './type-name.ts'

/** Options of `jit.fetch`. */
export type JitFetchOptions = Readonly<{
  /**
   * Origins to which tokens may be sent. Only the origin of each URL counts. Requests to other origins
   * are sent by the plain `fetch`.
   */
  origins: readonly string[]
  /**
   * The only origin that receives the agent's wide token, which the issuer also accepts. Other origins
   * receive a token for them alone. Default: the first of `origins`.
   */
  wideTokenOrigin?: string
  /**
   * Whether to request each token with `resource`, its origin (RFC 8707). Default true. False is for
   * issuers that reject the parameter; then other origins receive JIT tokens only.
   */
  resourceIndicators?: boolean
  /** Permissions that may be requested. Default `reading`. */
  allow?: Allow
  /** The justification of a request, for policy and approver. Default: names the call. */
  justification?:
    | string
    | ((detail: AuthorizationDetail, request: Challenged) => string | Promise<string>)
  /** Lifetime of a requested token in seconds. Default 300, at most 900. */
  ttl?: number
  /** Seconds before its expiry from which a token is not used any more. Default 10. */
  skew?: number
  /** Maximum time to wait for an approval, in seconds. Default 300. */
  limit?: number
  /**
   * When a person must decide: wait up to `limit` seconds, or throw `ApprovalPendingError` immediately,
   * so that a framework can suspend the run. Default `wait`.
   */
  whenPending?: 'wait' | 'throw'
  /**
   * What happens without the permission: the original answer is returned (see `refusalOf`), or an error
   * is thrown.
   */
  onRefusal?: 'return' | 'throw'
  /** Bytes of a streamed body that are kept for the retry. Default 1 MiB. */
  bodyLimit?: number
  /** Maximum number of redirects. Default 20, as in `fetch`. */
  redirects?: number
  /** Whether to request a detail again that was denied in this task. Default false. */
  askAgain?: boolean
  /** Called with each step of an escalation, without tokens. Its errors are ignored. */
  observe?: (step: JitStep) => void
}>

/** The steps of an escalation, in this order. */
export type JitStep =
  | { step: 'challenged'; request: string; required: AuthorizationDetail }
  | { step: 'malformed'; request: string; message: string }
  | { step: 'requested'; requestId: string; status: string; riskLevel: string | undefined }
  | { step: 'granted'; requestId: string; expiresIn: number }
  | { step: 'refused'; reason: RefusalReason; message: string }

/** The parts of a `JitContext` in use. */
export type Escalating = Pick<
  JitContext,
  'taskId' | 'requestPermission' | 'keepRequest' | 'takeRequest' | 'waitForApproval' | 'getToken'
> & {
  readonly agent: Pick<LumoAuthAgent, 'token' | 'forgetToken' | 'fetch' | 'now' | 'deadline'>
}

/** The options with their defaults. The caller's functions receive copies. */
export type JitFetchSettings = Readonly<{
  origins: ReadonlySet<string>
  wideTokenOrigin: string
  resourceIndicators: boolean
  allows: (detail: AuthorizationDetail, request: Challenged) => Promise<boolean>
  justify: (detail: AuthorizationDetail, request: Challenged) => Promise<string | undefined>
  observe: (step: JitStep) => void
  ttl: number | undefined
  skew: number
  limit: number | undefined
  whenPending: 'wait' | 'throw'
  onRefusal: 'return' | 'throw'
  askAgain: boolean
  bodyLimit: number
  redirects: number
}>

/** @throws {ConfigError} for invalid origins */
export const readJitFetchOptions = (options: JitFetchOptions): JitFetchSettings => {
  const { justification, observe, ttl, limit } = options
  const { skew = 10, whenPending = 'wait', onRefusal = 'return', askAgain = false } = options
  const { bodyLimit = 2 ** 20, redirects = 20 } = options
  const origins = readOrigins(options.origins)
  const allows = permits(options.allow ?? reading)
  return {
    origins,
    wideTokenOrigin: readWideTokenOrigin(options.wideTokenOrigin, origins),
    resourceIndicators: options.resourceIndicators ?? true,
    allows: (detail, request) => allows(structuredClone(detail), copyOf(request)),
    justify: async (detail, request) =>
      readJustification(
        typeof justification === 'function'
          ? await justification(structuredClone(detail), copyOf(request))
          : justification,
      ),
    observe: (step) => ignoreErrors(() => observe?.(structuredClone(step))),
    ttl,
    skew,
    limit,
    whenPending,
    onRefusal,
    askAgain,
    bodyLimit,
    redirects,
  }
}

const readJustification = (text: unknown): string | undefined => {
  if (text === undefined || typeof text === 'string') return text
  throw new ConfigError(`justification: expected a string, received ${typeName(text)}`)
}

/** An observer never changes the result, neither by throwing nor by rejecting. */
const ignoreErrors = (call: () => unknown): void => {
  try {
    Promise.resolve(call()).catch(() => undefined)
  } catch {}
}

const readOrigins = (urls: readonly string[]): ReadonlySet<string> => {
  if (urls.length === 0) {
    throw new ConfigError(
      'missing origins: pass the origins that may receive tokens as the option `origins`',
    )
  }
  return new Set(urls.map(readOrigin))
}

const readOrigin = (url: string): string => {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new ConfigError(`origins: expected an http(s) origin, received ${JSON.stringify(url)}`)
  }
  return parsed.origin
}

const readWideTokenOrigin = (url: string | undefined, origins: ReadonlySet<string>): string => {
  const [first = ''] = origins
  const origin = url === undefined ? first : readOrigin(url)
  if (!origins.has(origin)) {
    throw new ConfigError(`wideTokenOrigin: expected one of \`origins\`, received ${origin}`)
  }
  return origin
}

const copyOf = ({ method, url }: Challenged): Challenged => ({ method, url: new URL(url) })
