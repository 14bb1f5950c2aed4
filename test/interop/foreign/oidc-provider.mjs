// A foreign issuer: oidc-provider with client credentials, introspection, revocation and RAR on.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const installed = createRequire(`${process.env.FOREIGN}/package.json`)
const { default: Provider } = await import(pathToFileURL(installed.resolve('oidc-provider')).href)

const server = (await import('node:http')).createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'checked',
      client_secret: 'the secret: + and % of the client',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  scopes: ['read'],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: false },
    richAuthorizationRequests: {
      enabled: true,
      types: { file_access: { validate: async () => {} } },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'read', accessTokenFormat: 'jwt' }),
    },
  },
})
server.on('request', provider.callback())
console.log(JSON.stringify({ issuer }))
