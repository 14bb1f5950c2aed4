import { misbehavioursOf } from '../../http/misbehave.ts'
import { forgeSigned } from '../../signing/forge.ts'
import { generateSigningKey, type SigningKey } from '../../signing/keys.ts'
import { signJwt } from '../../signing/sign.ts'
import type { IssuerRoute } from '../../wire/index.ts'
import { alterSuccess, replaceToken, withMembers } from '../alter-answer.ts'

const jitToken: IssuerRoute[] = ['jit.request.token']

/** Misbehaviours of keys and metadata. */
export const keyMisbehaviours = misbehavioursOf('issuer', {
  'issuer-signs-with-unpublished-key': {
    says: 'JIT tokens are signed with a new key, but the JWKS has only the previous one.',
    breaks: 'JWT-17',
    routes: jitToken,
    begin: () => {
      let fresh: Promise<SigningKey> | undefined
      return alterSuccess(async (answer, { context: { keys } }) => {
        fresh ??= generateSigningKey(keys.current.alg)
        const key = await fresh
        return replaceToken(answer, ({ claims, header }) =>
          signJwt(key, claims, { typ: String(header.typ) }),
        )
      })
    },
  },
  'issuer-publishes-key-late': {
    says: 'The JWKS has only the signing key; the next key is published when it signs.',
    breaks: 'JWT-18',
    routes: ['discovery.jwks'],
    act: alterSuccess((answer, { context: { keys } }) =>
      withMembers(answer, { keys: [keys.current.publicJwk] }),
    ),
  },
  'issuer-signs-with-newest-key': {
    says: 'Tokens are signed with the newest published key before it is made current.',
    breaks: 'JWT-18',
    routes: ['oauth.token'],
    act: alterSuccess((answer, { context: { keys } }) => {
      const newest = keys.all.at(-2) ?? keys.current
      return replaceToken(answer, ({ claims, header }) =>
        forgeSigned(newest, claims, { ...header, alg: newest.alg, kid: newest.kid }),
      )
    }),
  },
  'issuer-jwks-empty': {
    says: 'The JWKS has no key.',
    breaks: 'LUMO-JWKS',
    routes: ['discovery.jwks'],
    act: alterSuccess((answer) => withMembers(answer, { keys: [] })),
  },
  'issuer-jwks-private': {
    says: 'The JWKS has the private key.',
    breaks: 'LUMO-JWKS',
    routes: ['discovery.jwks'],
    act: alterSuccess((answer, { context: { keys } }) =>
      withMembers(answer, { keys: [{ ...keys.current.privateJwk, use: 'sig' }] }),
    ),
  },
  'issuer-metadata-of-another': {
    says: 'issuer in metadata differs from the URL it was fetched from.',
    breaks: 'ASM-02',
    routes: ['discovery.oauth', 'discovery.openid'],
    act: alterSuccess((answer) => withMembers(answer, { issuer: 'https://elsewhere.invalid' })),
  },
})
