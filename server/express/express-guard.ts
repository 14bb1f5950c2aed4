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
 * What a request takes, or how to tell from the request. The function is called for good tokens only.
 * What it throws, and what it returns that is no `Requirement`, is an error of the app (`next(error)`).
 */
export type Required = Requirement | ((request: Request) => Requirement | Promise<Requirement>)

export type LumoAuthGuardOptions = Readonly<{
  /** Base URL of the tenant: `https://HOST/t/TENANT/api/v1` or `https://HOST/orgs/ORG/api/v1`. */
  tenant: string
  /** The `iss` of good tokens. Default: `tenant`. */
  issuer?: string | readonly string[]
  /** What your API is called in the `aud` of tokens meant for it. */
  audience: string | readonly string[]
  /** What a request takes. Default: any valid token. One that is no `Requirement` throws a `TypeError`. */
  required?: Required
  /** Asks the issuer about each token with these credentials, so a revocation counts at once. */
  introspection?: Readonly<{ clientId: string; clientSecret: string }>
  /** Seconds for which an introspection answer is believed. Default 0: asks each time. */
  introspectionCache?: number
  /** Without introspection: tells whether a token was revoked, say by the signals you receive. */
  isRevoked?: (claims: AccessTokenClaims) => boolean
  /** How a missing detail is named. Default `lumo`. */
  challenge?: ChallengeFormat
  realm?: string
  /**
   * The URL of your API's protected resource metadata, named in every 401 (RFC 9728 §5.1). The guard's
   * `metadata` serves the document.
   */
  resourceMetadata?: string
  /** Seconds by which the issuer's clock may differ from yours. Default 30. */
  leeway?: number
  /** Accepted `typ` headers. Default only `at+jwt`; add `JWT` for an issuer that says no better. */
  types?: readonly string[]
  /**
   * Seconds between two fetches of the keys because of an unknown `kid`; the first one fetches at once.
   * Default 1.
   */
  coolDown?: number
  /** Seconds for which fetched keys are believed. Default 600. */
  keysLifetime?: number
  /** Milliseconds to wait for the issuer. Default 5000. */
  timeout?: number
  fetch?: typeof globalThis.fetch
  /** Epoch seconds. */
  now?: () => number
  /** Hears why a request was refused, for your log; the client is told less. */
  onRefusal?: (refusal: ApiRefused['refusal'], request: Request) => void
}>

export type LumoAuthGuard = RequestHandler & {
  /**
   * The same guard with another requirement; keys are shared.
   * @throws {TypeError} for a requirement that is empty, misspelt or says two things
   */
  readonly requiring: (required: Required) => RequestHandler
  /**
   * Answers with the protected resource metadata of your API (RFC 9728 §2): mount it, without the guard, at
   * `/.well-known/oauth-protected-resource` followed by the path of `audience`.
   */
  readonly metadata: RequestHandler
}

declare global {
  namespace Express {
    interface Request {
      /** The claims of the token that was let in, narrowed to what introspection left of them. */
      auth?: AccessTokenClaims
    }
  }
}

/**
 * Express middleware that lets in who holds a LumoAuth token that is wide enough, and answers
 * everybody else itself: 401, or 403 with the challenge from which an agent learns what to ask for.
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
 * Without `introspection`, a revoked token is good until `isRevoked` says otherwise or it expires.
 * When the issuer cannot be asked, the answer is 503, never an open door.
 * @throws {TypeError} for options that would let in what they were not meant to
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
        // Express 4 does not look at what an async handler rejects with.
        next(thrown)
      }
    }
  }

  /** Admits the request, or tells why not. The app is asked what it takes once the token is good. */
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

/** Parses what is static at once, and the rest at each request. */
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
