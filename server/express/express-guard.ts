import type { Request, RequestHandler, Response } from 'express'
import { type Credentials, createGuard } from '../api/guard.ts'
import { ApiRefused } from '../api/refusal.ts'
import { parseRequirement, type Requirement } from '../api/requirement.ts'
import { renderApiRefusal } from '../http/api/refusals.ts'
import { authorizationOf } from '../http/authorization-field.ts'
import type { AccessTokenClaims, ChallengeFormat } from '../wire/index.ts'
import { RemoteIssuer } from './remote-issuer.ts'

export type { Requirement } from '../api/requirement.ts'
export type { AccessTokenClaims, AuthorizationDetail, ChallengeFormat } from '../wire/index.ts'

/**
 * The requirement of a request, or a function that returns it. The function is called for valid tokens
 * only. An error it throws, and a result that is not a `Requirement`, are errors of the app
 * (`next(error)`).
 */
export type Required = Requirement | ((request: Request) => Requirement | Promise<Requirement>)

/** Options of `lumoauthGuard`. */
export type LumoAuthGuardOptions = Readonly<{
  /** Base URL of the tenant: `https://HOST/t/TENANT/api/v1` or `https://HOST/orgs/ORG/api/v1`. */
  tenant: string
  /** The expected `iss` of tokens. Default: `tenant`. */
  issuer?: string | readonly string[]
  /** The name of your API in the `aud` of tokens. */
  audience: string | readonly string[]
  /**
   * The requirement of a request. Default: any valid token. An invalid `Requirement` throws a
   * `TypeError`.
   */
  required?: Required
  /** Credentials with which the guard introspects each token, so that a revocation has immediate effect. */
  introspection?: Readonly<{ clientId: string; clientSecret: string }>
  /** Seconds for which an introspection answer is cached. Default 0: no cache. */
  introspectionCache?: number
  /** Without introspection: whether a token was revoked, for example according to received signals. */
  isRevoked?: (claims: AccessTokenClaims) => boolean
  /** Format of the challenge for a missing detail. Default `lumo`. */
  challenge?: ChallengeFormat
  realm?: string
  /**
   * The URL of your API's protected resource metadata, which every 401 contains (RFC 9728 §5.1). The
   * guard's `metadata` serves the document.
   */
  resourceMetadata?: string
  /** Maximum difference between the issuer's clock and yours, in seconds. Default 30. */
  leeway?: number
  /** Accepted `typ` headers. Default only `at+jwt`; add `JWT` for an issuer that sends it. */
  types?: readonly string[]
  /**
   * Minimum seconds between two fetches of the keys because of an unknown `kid`; the first fetch is
   * immediate. Default 1.
   */
  coolDown?: number
  /** Seconds for which fetched keys are cached. Default 600. */
  keysLifetime?: number
  /** Timeout for requests to the issuer, in milliseconds. Default 5000. */
  timeout?: number
  fetch?: typeof globalThis.fetch
  /** Epoch seconds. */
  now?: () => number
  /** Called with the reason for each rejected request, for your log. The client receives less. */
  onRefusal?: (refusal: ApiRefused['refusal'], request: Request) => void
}>

/** The middleware, and variants of it with other requirements. */
export type LumoAuthGuard = RequestHandler & {
  /**
   * The same guard with another requirement. It shares the keys.
   * @throws {TypeError} for an empty, misspelt or ambiguous requirement
   */
  readonly requiring: (required: Required) => RequestHandler
  /**
   * Answers with the protected resource metadata of your API (RFC 9728 §2). Mount it without the guard
   * at `/.well-known/oauth-protected-resource`, followed by the path of `audience`.
   */
  readonly metadata: RequestHandler
}

declare global {
  namespace Express {
    interface Request {
      /** The claims of the admitted token, narrowed to what introspection still grants. */
      auth?: AccessTokenClaims
    }
  }
}

/**
 * Express middleware that admits requests with a sufficient LumoAuth token and answers all others: 401,
 * or 403 with a challenge that names the detail to request.
 *
 * ```ts
 * const guard = lumoauthGuard({
 *   tenant: 'https://app.lumoauth.dev/t/acme-corp/api/v1',
 *   audience: 'https://documents.example.com',
 *   introspection: { clientId: 'documents-api', clientSecret: process.env.API_CLIENT_SECRET! },
 * })
 *
 * app.get('/documents', guard, listDocuments)
 * app.get(
 *   '/documents/:id',
 *   guard.requiring(({ params }) => ({
 *     detail: { type: 'file_access', actions: ['read'], identifier: params.id },
 *   })),
 *   (req, res) => res.json({ id: req.params.id, readBy: req.auth?.sub }),
 * )
 * ```
 *
 * Without `introspection`, a revoked token is valid until `isRevoked` returns true or the token expires.
 * When introspection fails, the answer is 503.
 * @throws {TypeError} for invalid options
 */
export const lumoauthGuard = (options: LumoAuthGuardOptions): LumoAuthGuard => {
  const { audience, introspection, leeway = 30, challenge = 'lumo', realm = 'api' } = options
  const { resourceMetadata } = options
  const { now = () => Date.now() / 1000, onRefusal = () => {} } = options
  const issuers = [options.issuer ?? options.tenant].flat()
  const issuer = new RemoteIssuer({
    tenant: options.tenant,
    issuers,
    client: introspection,
    fetch: options.fetch ?? globalThis.fetch,
    now,
    coolDown: options.coolDown ?? 1,
    keysLifetime: options.keysLifetime ?? 600,
    timeout: options.timeout ?? 5000,
  })
  const guard = createGuard({
    issuers,
    audience,
    keys: issuer.findKeys,
    now,
    leeway,
    ...(options.types && { types: options.types }),
    revocation: introspection ? 'introspection' : options.isRevoked ? 'signals' : 'expiry',
    introspect: issuer.introspect,
    cache: options.introspectionCache ?? 0,
    ...(options.isRevoked && { isRevoked: options.isRevoked }),
  })

  const requiring = (required: Required): RequestHandler => {
    const requirementOf = toRequirementOf(required)
    return async (request, response, next) => {
      try {
        const refusal = await refusalOf(request, requirementOf)
        if (refusal === undefined) return next()
        onRefusal(structuredClone(refusal), request)
        answer(response, refusal, { challenge, realm, resourceMetadata })
      } catch (thrown) {
        // Express 4 ignores the rejection of an async handler.
        next(thrown)
      }
    }
  }

  /** Admits the request, or returns the refusal. Calls the app's function after the token is verified. */
  const refusalOf = async (request: Request, requirementOf: RequirementOf) => {
    try {
      const claims = await guard.authenticate(credentialsOf(request))
      guard.authorize(claims, await requirementOf(request))
      request.auth = claims
      return undefined
    } catch (thrown) {
      if (thrown instanceof ApiRefused) return thrown.refusal
      throw thrown
    }
  }

  const metadata: RequestHandler = (_request, response) => {
    response.set('access-control-allow-origin', '*').json({
      resource: [audience].flat()[0],
      authorization_servers: issuers,
      bearer_methods_supported: ['header'],
    })
  }

  return Object.assign(requiring(options.required ?? { token: 'any' }), { requiring, metadata })
}

type RequirementOf = (request: Request) => Requirement | Promise<Requirement>

/** Validates a static requirement immediately, and the result of a function at each request. */
const toRequirementOf = (required: Required): RequirementOf => {
  if (typeof required === 'function') {
    return async (request) => parseRequirement(await required(request))
  }
  const requirement = parseRequirement(required)
  return () => requirement
}

const credentialsOf = (request: Request): Credentials => ({
  authorization: authorizationOf(request),
  alsoElsewhere: names(request.query) || (isForm(request) && names(request.body)),
})

const isForm = (request: Request) => Boolean(request.is('application/x-www-form-urlencoded'))

const names = (fields: unknown): boolean =>
  typeof fields === 'object' && fields !== null && 'access_token' in fields

const answer = (
  response: Response,
  refusal: ApiRefused['refusal'],
  style: Parameters<typeof renderApiRefusal>[1],
) => {
  const { status, headers = {}, body } = renderApiRefusal(refusal, style)
  response.status(status).set(headers).json(body)
}
