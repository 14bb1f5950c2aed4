import type { Answer } from '../../http/message.ts'
import { misbehavioursOf, type Seam } from '../../http/misbehave.ts'
import { forgeJwt } from '../../signing/forge.ts'
import type { IssuerRoute } from '../../wire/index.ts'
import { alterSuccess, replaceToken, resignToken } from '../alter-answer.ts'

const jitToken: IssuerRoute[] = ['jit.request.token']

/** Misbehaviours of claims, header and signature of JIT tokens. */
export const tokenMisbehaviours = misbehavioursOf('issuer', {
  'issuer-wrong-iss': {
    says: 'iss of JIT tokens has an extra slash at its end.',
    breaks: 'AT-04',
    routes: jitToken,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, ({ iss, ...claims }) => ({ iss: `${iss}/`, ...claims })),
    ),
  },
  'issuer-wrong-aud': {
    says: 'aud of JIT tokens is another resource server.',
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
    says: 'typ of JIT tokens is secevent+jwt.',
    breaks: 'AT-01',
    routes: jitToken,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, (claims) => claims, { typ: 'secevent+jwt' }),
    ),
  },
  'issuer-wrong-kid': {
    says: 'kid of JIT tokens is not in the JWKS.',
    breaks: 'LUMO-KID',
    routes: jitToken,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, (claims) => claims, { kid: 'another-key' }),
    ),
  },
  'issuer-omits-kid': {
    says: 'JIT tokens have no kid.',
    breaks: 'LUMO-KID',
    routes: jitToken,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, (claims) => claims, { kid: undefined }),
    ),
  },
  'issuer-signs-with-none': {
    says: 'JIT tokens are unsigned: alg is none.',
    breaks: 'AT-03',
    routes: jitToken,
    act: alterSuccess(forgeToken('none')),
  },
  'issuer-signs-with-hmac': {
    says: 'JIT tokens are signed by HS256 with the public key as secret.',
    breaks: 'JWT-02',
    routes: jitToken,
    act: alterSuccess(forgeToken('hmac')),
  },
})

function forgeToken(how: 'none' | 'hmac') {
  return (answer: Answer, { context: { keys } }: Seam): Promise<Answer> =>
    replaceToken(answer, ({ claims }) => forgeJwt(keys.current, how, claims))
}
