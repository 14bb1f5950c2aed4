import { createHash } from 'node:crypto'
import { credentialsIn } from '../../http/claimed-client.ts'
import { errorAnswer } from '../../http/errors.ts'
import { signConsent } from '../../http/issuer/oauth/authorize.ts'
import { csrfCookie } from '../../http/issuer/oauth/consent-page.ts'
import type { HttpRequest } from '../../http/message.ts'
import { type Act, misbehavioursOf } from '../../http/misbehave.ts'
import type { GrantRecord, State } from '../../issuer/state.ts'
import { hashSecret } from '../../signing/secrets.ts'
import { AuthorizeForm, type IssuerRoute } from '../../wire/index.ts'
import { alterAnswer, asHtml, withFields } from '../alter-answer.ts'
import { misleadRules, replaceEvents, withRecord } from '../mislead-rules.ts'

const authorizeRoutes: IssuerRoute[] = ['oauth.authorize', 'oauth.authorize.submit']
const decisionRoutes: IssuerRoute[] = ['oauth.authorize.submit']
const logoutRoutes: IssuerRoute[] = ['oauth.logout', 'oauth.logout.submit']
const redemptionRoutes: IssuerRoute[] = ['oauth.token']

/** Misbehaviours of consent, codes and refresh tokens. */
export const consentMisbehaviours = misbehavioursOf('issuer', {
  'issuer-ignores-missing-pkce': {
    says: 'A public client needs no PKCE.',
    breaks: 'LUMO-PKCE',
    routes: authorizeRoutes,
    act: misleadRules((_context, { routed: { request } }) => ({
      state: (state) =>
        withRecord(
          { ...state, dialect: { ...state.dialect, pkce: 'public' } },
          'clients',
          parametersOf(request).get('client_id') ?? '',
          (client) => ({ secretHash: '', ...client }),
        ),
    })),
  },
  'issuer-accepts-plain-pkce': {
    says: 'code_challenge_method plain is accepted.',
    breaks: 'LUMO-PKCE',
    routes: [...authorizeRoutes, 'oauth.par'],
    act: ({ answer, routed: { request } }) => {
      const { code_challenge: verifier, code_challenge_method: method } = Object.fromEntries(
        parametersOf(request),
      )
      if (verifier === undefined || method === 'S256') return answer()
      const hashed = { code_challenge: s256(verifier), code_challenge_method: 'S256' }
      return answer({ request: withParameters(request, hashed) })
    },
  },
  'issuer-redirects-anywhere': {
    says: 'An unregistered redirect_uri is accepted.',
    breaks: 'LUMO-REDIRECT',
    routes: authorizeRoutes,
    act: misleadRules((_context, { routed: { request } }) => {
      const parameters = parametersOf(request)
      const uri = parameters.get('redirect_uri') ?? ''
      return {
        state: (state) =>
          withRecord(state, 'clients', parameters.get('client_id') ?? '', (client) => ({
            ...client,
            redirectUris: [...(client.redirectUris ?? []), uri],
          })),
      }
    }),
  },
  'issuer-reuses-request-uri': {
    says: 'A request_uri of PAR is valid for further sign-ins.',
    breaks: 'LUMO-PAR-ONCE',
    routes: authorizeRoutes,
    act: misleadRules((_context, { routed: { request } }) => ({
      state: (state) =>
        withRecord(
          state,
          'pushed',
          parametersOf(request).get('request_uri') ?? undefined,
          ({ used: _, ...pushed }) => pushed,
        ),
    })),
  },
  'issuer-keeps-refusals-from-client': {
    says: 'An error of an authorization request is a page, although client and redirect_uri are known.',
    breaks: 'LUMO-AUTHORIZE-REFUSALS',
    routes: authorizeRoutes,
    act: alterAnswer((answer) =>
      /[?&]error=/.test(answer.headers?.location ?? '')
        ? asHtml({ ...withFields(answer, { location: undefined }), status: 400 })
        : answer,
    ),
  },
  'issuer-logs-out-to-anywhere': {
    says: 'Logout redirects to an unregistered post_logout_redirect_uri.',
    breaks: 'LUMO-LOGOUT',
    routes: logoutRoutes,
    act: misleadRules((_context, { routed: { request } }) => {
      const parameters = parametersOf(request)
      const logoutUris = [parameters.get('post_logout_redirect_uri') ?? '']
      return {
        state: (state) =>
          withRecord(state, 'clients', parameters.get('client_id') ?? '', (client) => ({
            ...client,
            logoutUris,
          })),
      }
    }),
  },
  'issuer-logs-out-by-get-only': {
    says: 'The logout endpoint answers 405 to POST.',
    breaks: 'LUMO-LOGOUT',
    routes: ['oauth.logout.submit'],
    act: () => Promise.resolve(errorAnswer(405, 'method_not_allowed', 'expected the method GET')),
  },
  'issuer-userinfo-ignores-scope': {
    says: 'Userinfo has every claim of the user, whatever was consented to.',
    breaks: 'LUMO-USERINFO-SCOPE',
    routes: ['oauth.userinfo', 'oauth.userinfo.post'],
    act: misleadRules(() => ({
      state: (state) => ({ ...state, dialect: { ...state.dialect, userinfo_claims: 'all' } }),
    })),
  },
  'issuer-loses-state': {
    says: 'The redirect has no state.',
    breaks: 'LUMO-STATE',
    routes: authorizeRoutes,
    act: alterAnswer((answer) => {
      const { location } = answer.headers ?? {}
      if (location === undefined) return answer
      const url = new URL(location)
      url.searchParams.delete('state')
      return withFields(answer, { location: url.href })
    }),
  },
  'issuer-takes-no-for-yes': {
    says: 'A denied consent returns a code.',
    breaks: 'LUMO-CONSENT',
    routes: decisionRoutes,
    act: ({ answer, routed: { request } }) =>
      answer({ request: withParameters(request, { decision: 'allow' }) }),
  },
  'issuer-accepts-forged-consent': {
    says: 'A consent from a foreign Origin is accepted.',
    breaks: 'LUMO-REDIRECT',
    routes: decisionRoutes,
    act: ({ answer, routed: { request, context } }) => {
      const { origin: _, ...headers } = request.headers
      const form = AuthorizeForm.parse(Object.fromEntries(parametersOf(request)))
      const { csrf: _csrf, user: _user, decision: _decision, ...shown } = form
      const csrf = context === undefined ? '' : signConsent(context, 'forged', shown)
      const cookie = `${csrfCookie}=${csrf}`
      const forged = withParameters(request, { csrf })
      return answer({ request: { ...forged, headers: { ...headers, cookie } } })
    },
  },
  'issuer-grants-beyond-consent': {
    says: 'The user consents to one scope, and the client gets all registered scopes.',
    breaks: 'LUMO-CONSENT',
    routes: decisionRoutes,
    act: misleadRules(({ context: { tenant } }) => ({
      events: replaceEvents('grant.given', (event) => {
        const { clientId, scope } = event.grant
        const all = [
          ...scope.split(' '),
          ...(tenant.state.clients.get(clientId)?.capabilities ?? []),
        ]
        return [{ ...event, grant: { ...event.grant, scope: [...new Set(all)].join(' ') } }]
      }),
    })),
  },
  'issuer-forgets-the-chosen-agent': {
    says: 'The user consents to one agent, and every other agent may act too.',
    breaks: 'TEX-14',
    routes: decisionRoutes,
    act: misleadRules(() => ({
      events: replaceEvents('grant.given', (event) => {
        const { mayAct: _, ...grant } = event.grant
        return [{ ...event, grant }]
      }),
    })),
  },
  'issuer-codes-live-for-a-day': {
    says: 'A code is valid for a day.',
    breaks: 'LUMO-CODE',
    routes: decisionRoutes,
    act: misleadRules(() => ({
      events: replaceEvents('grant.given', (event) => [
        { ...event, grant: { ...event.grant, codeExpiresAt: event.grant.givenAt + 86_400 } },
      ]),
    })),
  },

  'issuer-ignores-code-verifier': {
    says: 'A code is redeemed with another code_verifier, or without one.',
    breaks: 'LUMO-CODE',
    routes: redemptionRoutes,
    act: alterRedemption(({ grant: { challenge: _, ...grant }, ...record }, { form }) => {
      const verifier = form.get('code_verifier')
      return { ...record, grant: { ...grant, ...(verifier && { challenge: s256(verifier) }) } }
    }),
  },
  'issuer-ignores-redirect-uri': {
    says: 'A code is redeemed with another redirect_uri.',
    breaks: 'LUMO-CODE',
    routes: redemptionRoutes,
    act: alterRedemption((record, { form }) => ({
      ...record,
      grant: { ...record.grant, redirectUri: form.get('redirect_uri') ?? '' },
    })),
  },
  'issuer-redeems-for-others': {
    says: "A client redeems another client's code.",
    breaks: 'LUMO-CODE',
    routes: redemptionRoutes,
    act: alterRedemption((record, { clientId }) => ({
      ...record,
      grant: { ...record.grant, clientId },
    })),
  },
  'issuer-redeems-twice': {
    says: 'A code is redeemed more than once.',
    breaks: 'LUMO-CODE',
    routes: redemptionRoutes,
    act: alterRedemption((record) => ({ ...record, redeemed: false })),
  },
  'issuer-keeps-stolen-grants': {
    says: 'A reused code or refresh token is rejected, but its tokens are not revoked.',
    breaks: 'LUMO-CODE',
    routes: redemptionRoutes,
    act: misleadRules(() => ({
      events: (events) =>
        events.filter(({ type }) => type !== 'grant.revoked' && type !== 'token.revoked'),
    })),
  },
  'issuer-refreshes-again': {
    says: 'A refresh token is valid more than once.',
    breaks: 'LUMO-REFRESH',
    routes: redemptionRoutes,
    act: misleadRules((_context, { routed: { request } }) => {
      const used = hashSecret(parametersOf(request).get('refresh_token') ?? '')
      return {
        state: (state) =>
          withRecord(state, 'grants', state.refreshTokens.get(used), ({ refresh, ...record }) => ({
            ...record,
            ...(refresh && { refresh: { ...refresh, hash: used } }),
          })),
      }
    }),
  },
})

/** Reads the grant of the code in the call as another. */
function alterRedemption(
  change: (
    record: GrantRecord,
    shown: Readonly<{ form: URLSearchParams; clientId: string }>,
  ) => GrantRecord,
): Act {
  return misleadRules((_context, { routed: { request } }) => {
    const form = parametersOf(request)
    const shown = { form, clientId: credentialsIn(request).id }
    const code = hashSecret(form.get('code') ?? '')
    return {
      state: (state: State) =>
        withRecord(state, 'grants', state.codes.get(code), (record) => change(record, shown)),
    }
  })
}

/** The parameters: the query of a GET, the form of a POST. */
const parametersOf = ({ method, query, body }: HttpRequest): URLSearchParams =>
  method === 'POST' ? new URLSearchParams(body) : query

const withParameters = (
  request: HttpRequest,
  parameters: Readonly<Record<string, string>>,
): HttpRequest => {
  const all = new URLSearchParams(parametersOf(request))
  for (const [name, value] of Object.entries(parameters)) all.set(name, value)
  return request.method === 'POST'
    ? { ...request, body: all.toString() }
    : { ...request, query: all }
}

const s256 = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')
