import type { AuthorizationDetail } from '../server/wire/authorization-detail.ts'
import type { LumoAuthAgent } from './agent.ts'
import { type Allow, type Challenged, permits, reading } from './allow.ts'
import { ConfigError, type RefusalReason } from './errors.ts'
import type { JitContext } from './jit-context.ts'
import { typeName } from './type-name.ts'

export type JitFetchOptions = Readonly<{
  /** Where tokens may go. URLs are taken for their origin. Everywhere else it is a plain `fetch`. */
  origins: readonly string[]
  /**
   * The one origin that is sent the wide token of the agent, which is also good at the issuer. The other
   * origins are sent a token for them alone. Default: the first of `origins`.
   */
  wideTokenOrigin?: string
  /**
   * Asks for each token with `resource`, the origin that it is for (RFC 8707). Default true. False is for
   * issuers that refuse the parameter: then the other origins are sent no token but their JIT tokens.
   */
  resourceIndicators?: boolean
  /** What may be asked for. Default `reading`. */
  allow?: Allow
  /** Why the permission is needed, for policy and approver. Default: names the call. */
  justification?:
    | string
    | ((detail: AuthorizationDetail, request: Challenged) => string | Promise<string>)
  /** Seconds a permission is asked for. Default 300, at most 900. */
  ttl?: number
  /** Seconds before its expiry at which a token is no longer used. Default 10. */
  skew?: number
  /** Seconds to wait for an approval. Default 300. */
  limit?: number
  /**
   * When a person has to decide: wait up to `limit` seconds, or throw `ApprovalPendingError` at once, so
   * that a framework can suspend the run. Default `wait`.
   */
  whenPending?: 'wait' | 'throw'
  /** When the permission is not obtained: the original answer (see `refusalOf`), or a thrown error. */
  onRefusal?: 'return' | 'throw'
  /** Bytes of a streamed body that are held for the retry. Default 1 MiB. */
  bodyLimit?: number
  /** Redirects followed at most. Default 20, as `fetch` does. */
  redirects?: number
  /** Asks again for a detail that was denied in this task. Default false: the denial stands. */
  askAgain?: boolean
  /** Receives each step of an escalation, without tokens. What it throws changes nothing. */
  observe?: (step: JitStep) => void
}>

/** What happens in an escalation, in this order. */
export type JitStep =
  | { step: 'challenged'; request: string; required: AuthorizationDetail }
  | { step: 'malformed'; request: string; message: string }
  | { step: 'requested'; requestId: string; status: string; riskLevel: string | undefined }
  | { step: 'granted'; requestId: string; expiresIn: number }
  | { step: 'refused'; reason: RefusalReason; message: string }

/** What is needed of a `JitContext`. */
export type Escalating = Pick<
  JitContext,
  'taskId' | 'requestPermission' | 'keepRequest' | 'takeRequest' | 'waitForApproval' | 'getToken'
> & {
  readonly agent: Pick<LumoAuthAgent, 'token' | 'forgetToken' | 'fetch' | 'now' | 'deadline'>
}

/** The options with their defaults. What the caller's functions receive is a copy of their own. */
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

/** @throws {ConfigError} for origins that are none */
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

/** An observer never changes the outcome, whether it throws or its promise rejects. */
const ignoreErrors = (call: () => unknown): void => {
  try {
    Promise.resolve(call()).catch(() => undefined)
  } catch {}
}

const readOrigins = (urls: readonly string[]): ReadonlySet<string> => {
  if (urls.length === 0) {
    throw new ConfigError('no origins: say where tokens may go with the option `origins`')
  }
  return new Set(urls.map(readOrigin))
}

const readOrigin = (url: string): string => {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new ConfigError(`not an http(s) origin: ${JSON.stringify(url)}`)
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
