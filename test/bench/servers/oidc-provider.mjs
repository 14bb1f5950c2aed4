import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { exportJWK, generateKeyPair } from 'jose'

const peers = createRequire(`${process.env.BENCH_PEERS}/package.json`)
const { default: Provider } = await import(pathToFileURL(peers.resolve('oidc-provider')).href)

const alg = process.argv[2] ?? 'RS256'
const { privateKey } = await generateKeyPair(alg, { extractable: true })
const provider = new Provider('http://127.0.0.1', {
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg, use: 'sig', kid: 'k' }] },
  clients: [
    {
      client_id: 'bench',
      client_secret: 'secret-of-the-bench',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: alg,
      token_endpoint_auth_method: 'client_secret_post',
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'http://localhost/api',
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'read',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 3600,
        jwt: { sign: { alg } },
      }),
    },
  },
})
const server = provider.listen(0, '127.0.0.1', () => {
  console.log(
    JSON.stringify({
      token: `http://127.0.0.1:${server.address().port}/token`,
      form: 'grant_type=client_credentials&client_id=bench&client_secret=secret-of-the-bench&scope=read',
    }),
  )
})
