import {
  compactVerify,
  decodeProtectedHeader,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  SignJWT,
} from 'jose'
import { describe, expect, it } from 'vitest'
import { SkipScenario } from '../../../../scenarios/language/target.ts'
import { forgeToken } from '../../../../scenarios/targets/real/forge.ts'
import { signingAlgorithms } from '../../../../server/wire/index.ts'

/** A token of an issuer with this algorithm, and its published key. */
const issuedWith = async (alg: string) => {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  const token = await new SignJWT({ sub: 'agent:report-bot', exp: 1 })
    .setProtectedHeader({ alg, kid: 'key-1', typ: 'at+jwt' })
    .sign(privateKey)
  return { token, publicKey, keys: [{ ...(await exportJWK(publicKey)), kid: 'key-1', alg }] }
}

const order = { claims: { exp: null, sub: 'agent:chief' }, header: {} }

describe('a forged token at a real deployment', () => {
  it.each([...signingAlgorithms, 'PS256', 'ES384'])(
    'is signed by a foreign key with the same algorithm, kid and typ: %s',
    async (alg) => {
      const { token, publicKey, keys } = await issuedWith(alg)

      const forged = await forgeToken({ ...order, key: 'foreign' }, token, keys)

      expect(decodeProtectedHeader(forged)).toEqual({ alg, kid: 'key-1', typ: 'at+jwt' })
      await expect(compactVerify(forged, publicKey)).rejects.toMatchObject({
        code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      })
    },
  )

  it.each([...signingAlgorithms])(
    'is signed by HMAC with the PEM of the public key: %s',
    async (alg) => {
      const { token, keys } = await issuedWith(alg)
      const published = await importJWK(keys[0] ?? {}, alg)
      const pem = `${await exportSPKI(published as Parameters<typeof exportSPKI>[0])}\n`

      const forged = await forgeToken({ ...order, key: 'hmac' }, token, keys)

      const { payload } = await compactVerify(forged, new TextEncoder().encode(pem))
      expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({ sub: 'agent:chief' })
    },
  )

  it('has no signature, whatever alg its header names', async () => {
    const { token, keys } = await issuedWith('ES256')

    const forged = await forgeToken({ ...order, header: { alg: 'nOnE' }, key: 'none' }, token, keys)

    expect(forged).toMatch(/^[\w-]+\.[\w-]+\.$/)
    expect(decodeProtectedHeader(forged)).toMatchObject({ alg: 'nOnE', kid: 'key-1' })
  })

  it('is skipped for tokens that are not JWTs', async () => {
    await expect(forgeToken({ ...order, key: 'none' }, 'opaque', [])).rejects.toThrow(SkipScenario)
  })
})
