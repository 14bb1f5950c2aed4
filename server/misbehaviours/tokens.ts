import { credentialsIn } from '../http/claimed-client.ts'
import type { Routed } from '../http/core.ts'
import { issuerContext } from '../http/issuer/context.ts'
import { bearerToken } from '../http/issuer/oauth/bearer.ts'
import { issuersOf } from '../http/issuer-urls.ts'
import type { Answer, HttpRequest } from '../http/message.ts'
import { type Act, misbehavioursOf, type Seam } from '../http/misbehave.ts'
import type { TenantContext } from '../http/tenant-context.ts'
import type { Token } from '../issuer/event.ts'
import type { State } from '../issuer/state.ts'
import { forgeJwt, forgeSigned } from '../signing/forge.ts'
import { generateSigningKey, type SigningKey } from '../signing/keys.ts'
import { peekJwt } from '../signing/peek.ts'
import { hashSecret } from '../signing/secrets.ts'
import { signJwt } from '../signing/sign.ts'
import { verifyAccessToken } from '../signing/verify.ts'
import type { AccessTokenClaims, IssuerRoute } from '../wire/index.ts'
import {
  alterError,
  alterSuccess,
  membersOf,
  resignToken,
  withFields,
  withMembers,
} from './alter-answer.ts'
import { misleadRules, replaceEvents, withMistake, withRecord } from './mislead-rules.ts'
import { type SkippableCheck, skipTokenCheck } from './skip-token-check.ts'

const tokens: IssuerRoute[] = ['oauth.token', 'jit.request.token']
const jitToken: IssuerRoute[] = ['jit.request.token']

/** What the issuer does wrong with clients, tokens and keys. */
export const tokenMisbehaviours = misbehavioursOf('issuer', {
  'issuer-accepts-wrong-secret': {
    says: 'A client gets its token whatever secret it shows.',
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
    says: 'An unknown client is told so, in other words than one with a wrong secret.',
    breaks: 'CC-14',
    routes: ['oauth.token', 'oauth.introspect', 'oauth.revoke'],
    act: alterError((answer, { routed: { request }, context: { tenant } }) =>
      membersOf(answer).error === 'invalid_client' &&
      !tenant.state.clients.has(credentialsIn(request).id)
        ? withMembers(answer, { error_description: 'there is no such client' })
        : answer,
    ),
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
    says: 'A token has a scope that nobody asked for.',
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
    says: 'The token answer does not tell the scope that was granted.',
    breaks: 'CC-13',
    routes: ['oauth.token'],
    act: alterSuccess((answer) => withMembers(answer, { scope: undefined })),
  },
  'issuer-adds-refresh-token': {
    says: 'client_credentials gets a refresh token.',
    breaks: 'CC-09',
    routes: ['oauth.token'],
    act: alterSuccess((answer, { context: { tenant } }) =>
      withMembers(answer, { refresh_token: tenant.id('refresh') }),
    ),
  },
  'issuer-allows-storing': {
    says: 'Answers that bear a token may be stored: Cache-Control is missing.',
    breaks: 'CC-07',
    routes: tokens,
    act: alterSuccess((answer) =>
      withFields(answer, { 'cache-control': undefined, pragma: undefined }),
    ),
  },
  'issuer-overstates-expires-in': {
    says: 'expires_in is a minute more than the token lives.',
    breaks: 'LUMO-EXPIRES-IN',
    routes: tokens,
    act: alterSuccess((answer) =>
      withMembers(answer, { expires_in: Number(membersOf(answer).expires_in) + 60 }),
    ),
  },
  'issuer-omits-issued-type': {
    says: 'The answer to an exchange does not say what type was issued.',
    breaks: 'TEX-06',
    routes: jitToken,
    act: alterSuccess((answer) => withMembers(answer, { issued_token_type: undefined })),
  },

  'issuer-wrong-iss': {
    says: 'JIT tokens name an issuer with a slash too much at its end.',
    breaks: 'AT-04',
    routes: jitToken,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, ({ iss, ...claims }) => ({ iss: `${iss}/`, ...claims })),
    ),
  },
  'issuer-wrong-aud': {
    says: 'JIT tokens are made out to another resource server.',
    breaks: 'RSI-03',
    routes: jitToken,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, (claims) => ({ ...claims, aud: 'https://elsewhere.invalid' })),
    ),
  },
  'issuer-omits-jti': {
    says: 'JIT tokens lack jti and client_id.',
    breaks: 'AT-02',
    routes: jitToken,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, ({ jti: _, client_id: __, ...claims }) => claims),
    ),
  },
  'issuer-wrong-typ': {
    says: 'JIT tokens say they are security events.',
    breaks: 'AT-01',
    routes: jitToken,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, (claims) => claims, { typ: 'secevent+jwt' }),
    ),
  },
  'issuer-wrong-kid': {
    says: 'JIT tokens name a key that was never published.',
    breaks: 'LUMO-KID',
    routes: jitToken,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, (claims) => claims, { kid: 'another-key' }),
    ),
  },
  'issuer-omits-kid': {
    says: 'JIT tokens do not say which key signed them.',
    breaks: 'LUMO-KID',
    routes: jitToken,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, (claims) => claims, { kid: undefined }),
    ),
  },
  'issuer-signs-with-unpublished-key': {
    says: 'JIT tokens are signed with a new key, while the JWKS is the one from before the rotation.',
    breaks: 'JWT-17',
    routes: jitToken,
    begin: () => {
      let fresh: Promise<SigningKey> | undefined
      return alterSuccess(async (answer, { context: { keys } }) => {
        fresh ??= generateSigningKey(keys.current.alg)
        const jwt = peekJwt(String(membersOf(answer).access_token))
        return withMembers(answer, {
          access_token: await signJwt(await fresh, jwt?.claims ?? {}, {
            typ: String(jwt?.header.typ),
          }),
        })
      })
    },
  },
  'issuer-publishes-key-late': {
    says: 'The JWKS holds only the key that signs: the next key is published when it signs.',
    breaks: 'JWT-18',
    routes: ['discovery.jwks'],
    act: alterSuccess((answer, { context: { keys } }) =>
      withMembers(answer, { keys: [keys.current.publicJwk] }),
    ),
  },
  'issuer-signs-with-newest-key': {
    says: 'Tokens are signed with the newest key, which is published but was not told to sign.',
    breaks: 'JWT-18',
    routes: ['oauth.token'],
    act: alterSuccess((answer, { context: { keys } }) => {
      const newest = keys.all.at(-2) ?? keys.current
      const jwt = peekJwt(String(membersOf(answer).access_token))
      if (jwt === undefined) return answer
      const header = { ...jwt.header, alg: newest.alg, kid: newest.kid }
      return withMembers(answer, { access_token: forgeSigned(newest, jwt.claims, header) })
    }),
  },
  'issuer-signs-with-none': {
    says: 'JIT tokens are not signed: alg is none.',
    breaks: 'AT-03',
    routes: jitToken,
    act: alterSuccess(forgeToken('none')),
  },
  'issuer-signs-with-hmac': {
    says: 'JIT tokens are signed by HS256 with the public key as the secret.',
    breaks: 'JWT-02',
    routes: jitToken,
    act: alterSuccess(forgeToken('hmac')),
  },
  'issuer-jwks-empty': {
    says: 'The JWKS holds no key.',
    breaks: 'LUMO-JWKS',
    routes: ['discovery.jwks'],
    act: alterSuccess((answer) => withMembers(answer, { keys: [] })),
  },
  'issuer-jwks-private': {
    says: 'The JWKS holds the private key.',
    breaks: 'LUMO-JWKS',
    routes: ['discovery.jwks'],
    act: alterSuccess((answer, { context: { keys } }) =>
      withMembers(answer, { keys: [{ ...keys.current.privateJwk, use: 'sig' }] }),
    ),
  },
  'issuer-metadata-of-another': {
    says: 'The metadata names another issuer than the one it was fetched from.',
    breaks: 'ASM-02',
    routes: ['discovery.oauth', 'discovery.openid'],
    act: alterSuccess((answer) => withMembers(answer, { issuer: 'https://elsewhere.invalid' })),
  },

  'issuer-introspects-revoked': {
    says: 'A revoked token is active at introspection.',
    breaks: 'REV-04',
    routes: ['oauth.introspect'],
    act: alterIntrospection(async (jwt, { context }) => {
      const claims = await verifyAccessToken(jwt, verificationOptions(context))
      return context.tenant.state.tokens.get(claims.jti)?.revokedAt === undefined
        ? undefined
        : claims
    }),
  },
  'issuer-introspects-expired': {
    says: 'An expired token is active at introspection.',
    breaks: 'INT-03',
    routes: ['oauth.introspect'],
    act: alterIntrospection(skipIntrospectionCheck('expiry')),
  },
  'issuer-introspects-forged': {
    says: 'Introspection does not check signatures.',
    breaks: 'INT-03',
    routes: ['oauth.introspect'],
    act: alterIntrospection(skipIntrospectionCheck('signature')),
  },
  'issuer-introspects-other-tenants': {
    says: "Another tenant's token is active at introspection.",
    breaks: 'THR-03',
    routes: ['oauth.introspect'],
    act: alterIntrospection(skipIntrospectionCheck('tenant')),
  },
  'issuer-introspects-for-anybody': {
    says: 'Introspection asks for no client authentication.',
    breaks: 'INT-01',
    routes: ['oauth.introspect'],
    act: acceptSecrets(({ request, tenant }) => {
      const [clientId = ''] = tenant.state.clients.keys()
      const authorization = `Basic ${Buffer.from(`${clientId}:anything`).toString('base64')}`
      return { ...request, headers: { ...request.headers, authorization } }
    }),
  },
  'issuer-explains-inactive': {
    says: 'Introspection tells why a token is not active.',
    breaks: 'INT-02',
    routes: ['oauth.introspect'],
    act: alterSuccess((answer) =>
      membersOf(answer).active === false
        ? withMembers(answer, { reason: 'the token has been revoked or has expired' })
        : answer,
    ),
  },
  'issuer-introspects-without-details': {
    says: 'Introspection leaves out the authorization details of a token.',
    breaks: 'RAR-15',
    routes: ['oauth.introspect'],
    act: alterSuccess((answer) => withMembers(answer, { authorization_details: undefined })),
  },
  'issuer-forgets-revocation': {
    says: 'Revocation is answered 200, and the token lives on.',
    breaks: 'REV-04',
    routes: ['oauth.revoke'],
    act: misleadRules(() => ({ events: () => [] })),
  },
  'issuer-refuses-unknown-revocation': {
    says: 'Revoking an unknown token is an error.',
    breaks: 'REV-02',
    routes: ['oauth.revoke'],
    act: async ({ answer, routed: { request }, context: { tenant } }) => {
      const before = tenant.journal.last
      const answered = await answer()
      const known = peekJwt(new URLSearchParams(request.body).get('token') ?? '') !== undefined
      if (answered.status !== 200 || tenant.journal.last > before || known) return answered
      return { status: 404, body: { error: 'not_found', error_description: 'no such token' } }
    },
  },

  'issuer-accepts-expired-bearer': {
    says: 'An expired token is good enough to call the issuer with.',
    breaks: 'AT-06',
    act: admitToken(skipIntrospectionCheck('expiry')),
  },
  'issuer-accepts-revoked-bearer': {
    says: 'A revoked token is good enough to call the issuer with.',
    breaks: 'THR-01',
    act: admitToken((jwt, { context }) =>
      verifyAccessToken(jwt, { ...verificationOptions(context), audience: audienceOf(context) }),
    ),
  },
  'issuer-accepts-unsigned-bearer': {
    says: 'A token with alg none is good enough to call the issuer with.',
    breaks: 'JWT-01',
    act: admitToken(skipIntrospectionCheck('unsigned')),
  },
  'issuer-accepts-hmac-bearer': {
    says: 'A token signed with the public key by HS256 is good enough to call the issuer with.',
    breaks: 'JWT-02',
    act: admitToken(skipIntrospectionCheck('hmac')),
  },
  'issuer-ignores-aud': {
    says: 'A token made out to the API is good enough to call the issuer with.',
    breaks: 'AT-05',
    act: admitToken(skipIntrospectionCheck('audience')),
  },
  'issuer-ignores-tenant': {
    says: "Another tenant's token is good enough to call the issuer with.",
    breaks: 'JWT-09',
    act: admitToken(skipIntrospectionCheck('tenant')),
  },
})

/** How a token comes to be taken for a good one; throws or gives undefined where it does not. */
type Believing = (
  jwt: string,
  seam: Seam,
) => AccessTokenClaims | undefined | Promise<AccessTokenClaims | undefined>

const verificationOptions = (context: TenantContext) => ({
  issuers: issuersOf(context),
  keys: context.keys.findKeys,
  now: context.tenant.clock.now(),
  types: ['at+jwt', 'JWT'],
})

const audienceOf = (context: TenantContext) => [...issuersOf(context), context.origins.issuer]

function skipIntrospectionCheck(oversight: SkippableCheck): Believing {
  return async (jwt, { context, others, routed }) => {
    const seen = await skipTokenCheck(oversight, jwt, context, others())
    if (seen === undefined) return undefined
    const introspected = routed.name === 'oauth.introspect'
    return verifyAccessToken(seen.token, {
      ...verificationOptions(context),
      ...seen.verification,
      ...(introspected ? {} : { audience: [...audienceOf(context), ...seen.audience] }),
    })
  }
}

const verifyBelieved = async (believing: Believing, jwt: string | undefined | null, seam: Seam) => {
  try {
    return jwt ? await believing(jwt, seam) : undefined
  } catch {
    return undefined
  }
}

/** Introspection that believes in tokens which are not active. */
function alterIntrospection(believing: Believing): Act {
  return alterSuccess(async (answer, seam) => {
    const { request } = seam.routed
    if (membersOf(answer).active !== false) return answer
    const claims = await verifyBelieved(
      believing,
      new URLSearchParams(request.body).get('token'),
      seam,
    )
    if (claims === undefined) return answer
    return { ...answer, body: { active: true, token_type: 'Bearer', ...claims } }
  })
}

/** Lets in a bearer that should have been refused: as if its token were a live one of this tenant. */
function admitToken(believing: Believing): Act {
  return (seam) =>
    seam.answer({
      context: async (honest) => {
        try {
          return await honest()
        } catch (refused) {
          const { context, routed } = seam
          const claims = await verifyBelieved(believing, bearerToken(routed.request), seam)
          if (claims === undefined) throw refused
          const alive = await reviveToken(context, claims)
          const headers = { ...routed.request.headers, authorization: `Bearer ${alive.jwt}` }
          const request = { ...routed.request, headers }
          const call = { ...(routed as Routed<IssuerRoute>), request, context: alive.context }
          return { ...(await issuerContext(call)), context }
        }
      },
    })
}

/** A token with these claims that is good, and the tenancy as it would be if it had been issued. */
const reviveToken = async (context: TenantContext, claims: AccessTokenClaims) => {
  const { tenant, keys } = context
  const now = tenant.clock.now()
  const token: Token = {
    kind: claims.agent_id === undefined ? 'user' : 'agent',
    jti: claims.jti,
    sub: claims.sub,
    clientId: claims.client_id,
    issuedAt: now,
    expiresAt: now + 60,
    ...(claims.agent_id === undefined ? { userId: claims.sub } : { agentId: claims.agent_id }),
    ...(claims.scope === undefined ? {} : { scope: claims.scope }),
  }
  const jwt = await signJwt(keys.current, {
    ...claims,
    iss: issuersOf(context)[0],
    aud: audienceOf(context),
    tenant: tenant.slug,
    iat: token.issuedAt,
    exp: token.expiresAt,
  })
  const state = (real: State) => ({
    ...real,
    tokens: new Map(real.tokens).set(token.jti, { token }),
  })
  return { jwt, context: withMistake(context, { state }) }
}

/** Client authentication that takes any secret, of whichever client the request is said to be from. */
function acceptSecrets(
  as: (of: { request: HttpRequest; tenant: TenantContext['tenant'] }) => HttpRequest,
): Act {
  return (seam) => {
    const request = as({ request: seam.routed.request, tenant: seam.context.tenant })
    const { id, secret } = credentialsIn(request)
    const mistake = { secretHash: hashSecret(secret) }
    const lenient = misleadRules(() => ({
      state: (state) => withRecord(state, 'clients', id, (client) => ({ ...client, ...mistake })),
    }))
    return lenient({
      ...seam,
      answer: (change = {}) => seam.answer({ ...change, request }),
    })
  }
}

function forgeToken(how: 'none' | 'hmac') {
  return async (answer: Answer, { context: { keys } }: Seam): Promise<Answer> => {
    const jwt = peekJwt(String(membersOf(answer).access_token))
    return withMembers(answer, {
      access_token: await forgeJwt(keys.current, how, jwt?.claims ?? {}),
    })
  }
}
