import { Documents, type summaryOf } from '../api/documents.ts'
import { createGuard, type Guard, type GuardOptions, type Requirement } from '../api/guard.ts'
import type { ResourceServer } from '../api/resource-server.ts'
import type { ApiContext } from '../http/api/handlers.ts'
import { errorAnswer } from '../http/errors.ts'
import { bearerToken } from '../http/issuer/oauth/bearer.ts'
import { issuersOf } from '../http/issuer-urls.ts'
import type { Answer } from '../http/message.ts'
import { type Act, misbehavioursOf, type Seam } from '../http/misbehave.ts'
import type { TenantContext } from '../http/tenant-context.ts'
import { peekJwt } from '../signing/peek.ts'
import {
  type AccessTokenClaims,
  type ApiRoute,
  type AuthorizationDetail,
  PutDocument,
} from '../wire/index.ts'
import { alterError, alterSuccess, membersOf, withFields, withMembers } from './alter-answer.ts'
import { type SkippableCheck, skipTokenCheck } from './skip-token-check.ts'

const documentRoutes: ApiRoute[] = ['documents.read', 'documents.summarise']

/** What the resource server does wrong with tokens, with what they grant, and with its data. */
export const apiMisbehaviours = misbehavioursOf('api', {
  'api-accepts-any-token': {
    says: 'Whatever comes after Bearer opens every door.',
    breaks: 'JWT-05',
    act: withGuard((honest, { routed, context }) => ({
      ...honest,
      admit: async (credentials, requirement) =>
        bearerToken(routed.request) === undefined
          ? honest.admit(credentials, requirement)
          : anonymousClaims(context),
    })),
  },
  'api-accepts-no-token': {
    says: 'Who shows no token is let in.',
    breaks: 'BRR-04',
    act: withGuard((honest, { routed, context }) => ({
      ...honest,
      admit: async (credentials, requirement) =>
        routed.request.headers.authorization === undefined
          ? anonymousClaims(context)
          : honest.admit(credentials, requirement),
    })),
  },
  'api-accepts-token-in-query': {
    says: 'A token in the query is as good as one in the header.',
    breaks: 'BRR-03',
    act: async ({ answer, routed: { request } }) => {
      const token = request.query.get('access_token')
      if (token === null || request.headers.authorization !== undefined) return answer()
      const query = new URLSearchParams(request.query)
      query.delete('access_token')
      const headers = { ...request.headers, authorization: `Bearer ${token}` }
      return answer({ request: { ...request, query, headers } })
    },
  },
  'api-accepts-expired': {
    says: 'An expired token is accepted.',
    breaks: 'AT-06',
    act: skipGuardCheck('expiry'),
  },
  'api-accepts-forged': {
    says: 'A token signed by a foreign key is accepted.',
    breaks: 'JWT-05',
    act: skipGuardCheck('signature'),
  },
  'api-accepts-unsigned': {
    says: 'A token with alg none is accepted.',
    breaks: 'JWT-01',
    act: skipGuardCheck('unsigned'),
  },
  'api-accepts-hmac': {
    says: 'A token signed by HS256 with the public key is accepted.',
    breaks: 'JWT-02',
    act: skipGuardCheck('hmac'),
  },
  'api-ignores-typ': {
    says: 'A token of another type, such as a security event, is accepted.',
    breaks: 'AT-01',
    act: skipGuardCheck('type'),
  },
  'api-ignores-aud': {
    says: 'A token made out to another resource server is accepted.',
    breaks: 'AT-05',
    act: skipGuardCheck('audience'),
  },
  'api-ignores-tenant': {
    says: "Another tenant's token is accepted.",
    breaks: 'JWT-09',
    act: skipGuardCheck('tenant'),
  },
  'api-ignores-revocation': {
    says: 'A revoked token is good until it expires.',
    breaks: 'THR-01',
    act: withGuard((_honest, { context }) => guardOf(context, { revocation: 'expiry' })),
  },
  'api-remembers-introspection': {
    says: 'A token that was active once is never asked about again.',
    breaks: 'INT-04',
    begin: () => {
      const good = new Set<string>()
      return withGuard((honest, { routed, context }) => ({
        ...honest,
        admit: async (credentials, requirement) => {
          const token = bearerToken(routed.request) ?? ''
          if (good.has(token)) {
            return guardOf(context, { revocation: 'expiry' }).admit(credentials, requirement)
          }
          const claims = await honest.admit(credentials, requirement)
          good.add(token)
          return claims
        },
      }))
    },
  },

  'api-ignores-details': {
    says: "An agent's own token is enough for a confidential document.",
    breaks: 'API-CLASSIFICATION',
    act: withLenientGuard(() => true),
  },
  'api-ignores-scope': {
    says: 'Any token is enough where a scope is due.',
    breaks: 'BRR-05',
    act: withGuard((honest) => ({
      ...honest,
      admit: (credentials, requirement) =>
        honest.admit(credentials, 'scope' in requirement ? { token: 'any' } : requirement),
    })),
  },
  'api-ignores-identifier': {
    says: 'A detail for one document opens every other.',
    breaks: 'API-COVERS',
    act: misreadToken(({ identifier: _, ...detail }, { identifier }) => ({
      ...detail,
      ...(identifier === undefined ? {} : { identifier }),
    })),
  },
  'api-ignores-action': {
    says: 'A detail that allows reading also allows writing and deleting.',
    breaks: 'API-COVERS',
    act: misreadToken(({ actions: held, ...detail }, { actions = [] }) => ({
      ...detail,
      actions: held?.length ? actions : [],
    })),
  },
  'api-ignores-type': {
    says: 'A detail of another type is enough.',
    breaks: 'API-COVERS',
    act: misreadToken((detail, { type }) => ({ ...detail, type })),
  },
  'api-ignores-case': {
    says: 'Read is taken for read.',
    breaks: 'RAR-18',
    act: misreadToken((detail) => ({
      ...detail,
      actions: (detail.actions ?? []).map((action) => action.toLowerCase()),
    })),
  },
  'api-ignores-locations': {
    says: 'A detail for another place is good here, too.',
    breaks: 'RAR-03',
    act: misreadToken(({ locations: _, ...detail }) => detail),
  },
  'api-empty-means-all': {
    says: 'No actions, or [], is taken for all of them.',
    breaks: 'RAR-21',
    act: misreadToken((detail, { actions = [] }) =>
      detail.actions?.length ? detail : { ...detail, actions },
    ),
  },
  'api-adds-details-up': {
    says: 'Two details are taken for their product: the action of one, the document of the other.',
    breaks: 'RAR-03',
    act: withLenientGuard((details, required) => {
      const actions = details.flatMap((detail) => detail.actions ?? [])
      return (
        details.some(({ type }) => type === required.type) &&
        details.some(({ identifier }) => identifier === required.identifier) &&
        (required.actions ?? []).every((action) => actions.includes(action))
      )
    }),
  },
  'api-never-satisfied': {
    says: 'Whatever detail a token holds, it is not enough.',
    breaks: 'THR-16',
    begin: () => {
      let wishes = 0
      return withGuard((honest) => ({
        ...honest,
        admit: (credentials, requirement) =>
          honest.admit(
            credentials,
            'detail' in requirement
              ? { detail: { ...requirement.detail, privileges: [`wish-${++wishes}`] } }
              : requirement,
          ),
      }))
    },
  },

  'api-forgets-writes': {
    says: 'A write is confirmed, and later reads do not see it.',
    breaks: 'API-WRITES',
    routes: ['documents.write'],
    act: withKnownToken((tenant) => ({ ...tenant, documents: copyOf(tenant) })),
  },
  'api-forgets-deletes': {
    says: 'A deletion is confirmed, and the document stays.',
    breaks: 'API-WRITES',
    routes: ['documents.delete'],
    act: withKnownToken((tenant) => ({ ...tenant, documents: copyOf(tenant) })),
  },
  'api-writes-before-asking': {
    says: 'A write that is refused has been done all the same.',
    breaks: 'THR-29',
    routes: ['documents.write'],
    act: async ({ answer, routed: { request, params }, context }) => {
      const order = PutDocument.safeParse(jsonOf(request.body))
      if (order.success) context.api.documents.put(params.documentId ?? '', order.data, 'nobody')
      return answer()
    },
  },
  'api-lists-everything': {
    says: 'The list shows documents that the token could not read.',
    breaks: 'API-LIST',
    routes: ['documents.list'],
    act: withGuard((honest) => ({ ...honest, allows: () => true })),
  },
  'api-lists-bodies': {
    says: 'The list shows the bodies of the documents.',
    breaks: 'API-LIST',
    routes: ['documents.list'],
    act: alterSuccess((answer, { context: { api } }) => {
      const { documents } = membersOf(answer) as { documents: ReturnType<typeof summaryOf>[] }
      return withMembers(answer, { documents: documents.map(({ id }) => api.documents.find(id)) })
    }),
  },
  'api-reveals-existence': {
    says: 'Who may not read a document is told whether it is there.',
    breaks: 'THR-26',
    routes: documentRoutes,
    act: alterError((answer, { routed: { params }, context: { api } }) =>
      answer.status === 403 && api.documents.find(params.documentId ?? '') === undefined
        ? errorAnswer(404, 'not_found', 'there is no such document')
        : answer,
    ),
  },
  'api-reveals-existence-to-strangers': {
    says: 'A document is looked for before the token is verified, so strangers learn that one is missing.',
    breaks: 'THR-26',
    routes: documentRoutes,
    act: alterError((answer, { routed: { params }, context: { api } }) =>
      answer.status === 401 && api.documents.find(params.documentId ?? '') === undefined
        ? errorAnswer(404, 'not_found', 'there is no such document')
        : answer,
    ),
  },

  'api-403-instead-of-401': {
    says: 'A bad token is refused with 403.',
    breaks: 'AT-08',
    act: alterError((answer) =>
      membersOf(answer).error === 'invalid_token' ? withStatus(answer, 403) : answer,
    ),
  },
  'api-hides-authenticate': {
    says: 'A 401 comes without WWW-Authenticate.',
    breaks: 'BRR-07',
    act: alterError((answer) =>
      answer.status === 401 ? withFields(answer, { 'www-authenticate': undefined }) : answer,
    ),
  },
  'api-accuses-without-token': {
    says: 'Who shows no token is told that it is invalid.',
    breaks: 'BRR-04',
    act: alterError((answer) =>
      membersOf(answer).error === 'missing_token'
        ? withFields(withMembers(answer, { error: 'invalid_token', code: 'invalid_token' }), {
            'www-authenticate': 'Bearer error="invalid_token"',
          })
        : answer,
    ),
  },
  'api-explains-invalid-token': {
    says: 'A refusal tells what is wrong with the token.',
    breaks: 'THR-26',
    act: alterError((answer, { routed: { request }, context: { tenant } }) => {
      if (membersOf(answer).error !== 'invalid_token') return answer
      const { exp } = peekJwt(bearerToken(request))?.claims ?? {}
      const why = Number(exp) <= tenant.clock.now() ? 'the token has expired' : 'wrong signature'
      return withMembers(answer, { error_description: why, message: why })
    }),
  },
  'api-leaks-token': {
    says: 'Errors repeat the token of the request.',
    breaks: 'THR-27',
    act: alterError((answer, { routed: { request } }) =>
      withMembers(answer, { received: request.headers.authorization }),
    ),
  },
  'api-ok-with-error': {
    says: 'Refusals are sent with status 200.',
    breaks: 'BRR-05',
    act: alterError((answer) => ({ ...answer, status: 200 })),
  },
  'api-html-error': {
    says: 'Errors are pages of HTML.',
    breaks: 'LUMO-ERROR-BODY',
    act: alterError((answer) => ({
      ...withFields(answer, { 'content-type': 'text/html; charset=utf-8' }),
      body: `<!doctype html><title>Error</title><h1>${answer.status}</h1>`,
    })),
  },
  'api-allows-storing-refusals': {
    says: 'A refusal may be stored: Cache-Control is missing.',
    breaks: 'RES-13',
    act: alterError((answer) => withFields(answer, { 'cache-control': undefined })),
  },
})

/** Lets the handler work with another tenant than the real one. */
function withKnownToken(change: (tenant: ResourceServer, seam: Seam) => ResourceServer): Act {
  return (seam) =>
    seam.answer({
      context: async (honest) => {
        const context = (await honest()) as ApiContext
        return { ...context, tenant: change(context.tenant, seam) } satisfies ApiContext
      },
    })
}

/** Puts another guard before the door. */
function withGuard(change: (honest: Guard, seam: Seam) => Guard): Act {
  return withKnownToken((tenant, seam) => ({ ...tenant, guard: change(tenant.guard, seam) }))
}

/** A guard like the real one, but for some options. It knows of revocation at once. */
const guardOf = (context: TenantContext, more: Partial<GuardOptions> = {}): Guard => {
  const { tenant, keys } = context
  return createGuard({
    issuers: issuersOf(context),
    audience: namesOf(context),
    tenant: tenant.slug,
    types: tenant.state.dialect.token_typ === 'JWT' ? ['at+jwt', 'JWT'] : ['at+jwt'],
    keys: keys.findKeys,
    now: tenant.clock.now,
    revocation: tenant.state.dialect.revocation === 'expiry' ? 'expiry' : 'signals',
    isRevoked: ({ jti }) => tenant.state.tokens.get(jti)?.revokedAt !== undefined,
    ...more,
  })
}

const namesOf = ({ origins, tenant }: TenantContext) => [
  origins.api,
  `${origins.api}/t/${tenant.slug}`,
]

function skipGuardCheck(oversight: SkippableCheck): Act {
  return withGuard((honest, { routed, context, others }) => ({
    ...honest,
    admit: async (credentials, requirement) => {
      const seen = await skipTokenCheck(oversight, bearerToken(routed.request), context, others())
      if (seen === undefined) return honest.admit(credentials, requirement)
      const { now, ...verification } = seen.verification
      const guard = guardOf(context, {
        ...verification,
        tenant: seen.tenant,
        ...(now === undefined ? {} : { now: () => now }),
        audience: [...namesOf(context), ...seen.audience],
      })
      return guard.admit({ ...credentials, authorization: `Bearer ${seen.token}` }, requirement)
    },
  }))
}

/** A guard that also lets in whoever it finds good enough. */
function withLenientGuard(
  enough: (details: readonly AuthorizationDetail[], required: AuthorizationDetail) => boolean,
): Act {
  return withGuard((honest) => {
    const allows = (claims: AccessTokenClaims, requirement: Requirement) =>
      honest.allows(claims, requirement) ||
      ('detail' in requirement && enough(claims.authorization_details ?? [], requirement.detail))
    return {
      allows,
      admit: async (credentials, requirement) => {
        const claims = await honest.admit(credentials, { token: 'any' })
        return allows(claims, requirement) ? claims : honest.admit(credentials, requirement)
      },
    }
  })
}

/** A guard that takes each detail of a token for another. */
function misreadToken(
  change: (detail: AuthorizationDetail, required: AuthorizationDetail) => AuthorizationDetail,
): Act {
  return withGuard((honest) => {
    const allows = (claims: AccessTokenClaims, requirement: Requirement) => {
      if (!('detail' in requirement)) return honest.allows(claims, requirement)
      const details = claims.authorization_details?.map((it) => change(it, requirement.detail))
      return honest.allows({ ...claims, authorization_details: details }, requirement)
    }
    return {
      allows,
      admit: async (credentials, requirement) => {
        const claims = await honest.admit(credentials, { token: 'any' })
        return allows(claims, requirement) ? claims : honest.admit(credentials, requirement)
      },
    }
  })
}

const anonymousClaims = (context: TenantContext): AccessTokenClaims => {
  const now = context.tenant.clock.now()
  return {
    iss: issuersOf(context)[0] ?? '',
    sub: 'anybody',
    aud: context.origins.api,
    client_id: 'anybody',
    iat: now,
    exp: now + 60,
    jti: 'anybody',
  }
}

const copyOf = ({ documents, now }: ResourceServer): Documents =>
  new Documents(
    Array.from(documents.all(), ({ id, title, classification, body }) => ({
      id,
      title,
      classification,
      body,
    })),
    now,
  )

const withStatus = (answer: Answer, status: number): Answer => ({
  ...withMembers(answer, { status }),
  status,
})

const jsonOf = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
