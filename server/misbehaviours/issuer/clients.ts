import { bearerToken } from '../../http/authorization-field.ts'
import { credentialsIn } from '../../http/claimed-client.ts'
import { errorAnswer } from '../../http/errors.ts'
import { misbehavioursOf } from '../../http/misbehave.ts'
import { peekJwt } from '../../signing/peek.ts'
import { hashSecret } from '../../signing/secrets.ts'
import type { IssuerRoute } from '../../wire/index.ts'
import { parseJson } from '../../wire/json.ts'
import { alterError, alterSuccess, membersOf, withFields, withMembers } from '../alter-answer.ts'
import { misleadRules, replaceEvents, withRecord } from '../mislead-rules.ts'
import { acceptSecrets } from './accept-secrets.ts'

const tokens: IssuerRoute[] = ['oauth.token', 'jit.request.token']
const registrations: IssuerRoute[] = [
  'oauth.registration.read',
  'oauth.registration.replace',
  'oauth.registration.delete',
]
const jitToken: IssuerRoute[] = ['jit.request.token']

/** Misbehaviours of client authentication and token answers. */
export const clientMisbehaviours = misbehavioursOf('issuer', {
  'issuer-accepts-wrong-secret': {
    says: 'Client authentication accepts a wrong client_secret.',
    breaks: 'CC-05',
    routes: ['oauth.token'],
    act: acceptSecrets(({ request }) => request),
  },
  'issuer-hides-client-challenge': {
    says: 'invalid_client comes without WWW-Authenticate.',
    breaks: 'CC-05',
    routes: ['oauth.token', 'oauth.introspect', 'oauth.revoke'],
    act: alterError((answer) => withFields(answer, { 'www-authenticate': undefined })),
  },
  'issuer-tells-clients-apart': {
    says: 'invalid_client has another text for an unknown client than for a wrong secret.',
    breaks: 'CC-14',
    routes: ['oauth.token', 'oauth.introspect', 'oauth.revoke'],
    act: alterError((answer, { routed: { request }, context: { tenant } }) =>
      membersOf(answer).error === 'invalid_client' &&
      !tenant.state.clients.has(credentialsIn(request).id)
        ? withMembers(answer, { error_description: 'there is no such client' })
        : answer,
    ),
  },
  'issuer-shows-registrations-to-others': {
    says: 'The registration_access_token of one client reads and changes the registration of another.',
    breaks: 'LUMO-REGISTRATION-TOKEN',
    routes: registrations,
    act: misleadRules((_context, { routed: { request, params } }) => {
      const token = bearerToken(request)
      const registrationHash = token === undefined ? '' : hashSecret(token)
      return {
        state: (state) =>
          [...state.clients.values()].some((it) => it.registrationHash === registrationHash)
            ? withRecord(state, 'clients', params.clientId, (it) => ({ ...it, registrationHash }))
            : state,
      }
    }),
  },
  'issuer-keeps-deleted-clients': {
    says: 'A deleted registration keeps working.',
    breaks: 'LUMO-REGISTRATION-TOKEN',
    routes: ['oauth.registration.delete'],
    act: misleadRules(() => ({ events: () => [] })),
  },
  'issuer-grants-any-scope': {
    says: 'A scope that is not registered for the agent is granted.',
    breaks: 'LUMO-SCOPE',
    routes: ['oauth.token'],
    act: misleadRules((_context, { routed: { request } }) => {
      const { id } = credentialsIn(request)
      const asked = new URLSearchParams(request.body).get('scope')?.split(' ') ?? []
      const wider = <C extends { capabilities: readonly string[] }>(client: C): C => ({
        ...client,
        capabilities: [...new Set([...client.capabilities, ...asked])],
      })
      return { state: (state) => withRecord(state, 'clients', id, wider) }
    }),
  },
  'issuer-widens-scope': {
    says: 'A token has a scope that was not requested.',
    breaks: 'LUMO-SCOPE',
    routes: ['oauth.token'],
    act: misleadRules(() => ({
      events: replaceEvents('token.issued', (event) => [
        {
          ...event,
          token: { ...event.token, scope: `${event.token.scope ?? ''} admin:all`.trim() },
        },
      ]),
    })),
  },
  'issuer-hides-granted-scope': {
    says: 'The token answer has no scope.',
    breaks: 'CC-13',
    routes: ['oauth.token'],
    act: alterSuccess((answer) => withMembers(answer, { scope: undefined })),
  },
  'issuer-adds-refresh-token': {
    says: 'client_credentials returns a refresh_token.',
    breaks: 'CC-09',
    routes: ['oauth.token'],
    act: alterSuccess((answer, { context: { tenant } }) =>
      withMembers(answer, { refresh_token: tenant.id('refresh') }),
    ),
  },
  'issuer-allows-storing': {
    says: 'Answers with a token lack Cache-Control.',
    breaks: 'CC-07',
    routes: tokens,
    act: alterSuccess((answer) =>
      withFields(answer, { 'cache-control': undefined, pragma: undefined }),
    ),
  },
  'issuer-overstates-expires-in': {
    says: 'expires_in is 60 seconds more than the lifetime of the token.',
    breaks: 'LUMO-EXPIRES-IN',
    routes: tokens,
    act: alterSuccess((answer) =>
      withMembers(answer, { expires_in: Number(membersOf(answer).expires_in) + 60 }),
    ),
  },
  'issuer-takes-issuer-audience-only': {
    says: 'A client assertion to the token endpoint or the PAR endpoint gets invalid_client.',
    breaks: 'CC-15',
    routes: ['oauth.token', 'oauth.par'],
    act: async ({ answer, routed: { request } }) => {
      const assertion = new URLSearchParams(request.body).get('client_assertion') ?? undefined
      const { aud } = peekJwt(assertion)?.claims ?? {}
      return typeof aud === 'string' && /\/oauth\/(token|par)$/.test(aud)
        ? errorAnswer(401, 'invalid_client', 'the client assertion is not valid')
        : answer()
    },
  },
  'issuer-refuses-union-of-grants': {
    says: 'A registration with an unsupported grant beside supported ones gets invalid_client_metadata.',
    breaks: 'LUMO-REGISTER-UNION',
    routes: ['oauth.register'],
    act: alterSuccess((answer, { routed: { request } }) =>
      grantTypesIn(request.body).some((it) => it.endsWith('jwt-bearer'))
        ? errorAnswer(400, 'invalid_client_metadata', 'grant_types: jwt-bearer is not supported')
        : answer,
    ),
  },
  'issuer-omits-issued-type': {
    says: 'The answer to an exchange has no issued_token_type.',
    breaks: 'TEX-06',
    routes: jitToken,
    act: alterSuccess((answer) => withMembers(answer, { issued_token_type: undefined })),
  },
})

const grantTypesIn = (body: string): readonly string[] => {
  const { grant_types: grants } = (parseJson(body) ?? {}) as { grant_types?: unknown }
  return Array.isArray(grants) ? grants.map(String) : []
}
