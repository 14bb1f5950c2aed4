// A foreign issuer: @node-oauth/oauth2-server, a token endpoint for Express and no more: opaque tokens,
// without introspection, revocation or keys. Its README leaves storage to the application.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.FOREIGN}/package.json`)
const OAuth2Server = require('@node-oauth/oauth2-server')

const client = { id: 'checked', grants: ['client_credentials'] }
const secret = 'the secret: + and % of the client'
const oauth = new OAuth2Server({
  model: {
    getClient: (id, given) =>
      Promise.resolve(id === client.id && given === secret ? client : undefined),
    getUserFromClient: () => Promise.resolve({ id: 'checked' }),
    saveToken: (token, of, user) => Promise.resolve({ ...token, client: of, user }),
    validateScope: (_user, _client, scope) => Promise.resolve(scope ?? []),
  },
})

const bodyOf = async (request) => {
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  return Object.fromEntries(new URLSearchParams(Buffer.concat(pieces).toString()))
}

const server = createServer(async (incoming, outgoing) => {
  const { origin, pathname, searchParams } = new URL(incoming.url, issuer)
  const send = (status, headers, body) => {
    outgoing.writeHead(status, { ...headers, 'content-type': 'application/json' })
    outgoing.end(JSON.stringify(body))
  }
  if (pathname === '/.well-known/oauth-authorization-server') {
    return send(
      200,
      {},
      {
        issuer: origin,
        token_endpoint: `${origin}/token`,
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        response_types_supported: [],
      },
    )
  }
  if (pathname !== '/token') return send(404, {}, { error: 'not_found' })
  const response = new OAuth2Server.Response({ headers: {} })
  const request = new OAuth2Server.Request({
    method: incoming.method,
    query: Object.fromEntries(searchParams),
    headers: incoming.headers,
    body: await bodyOf(incoming),
  })
  await oauth.token(request, response).catch(() => undefined)
  send(response.status, response.headers, response.body)
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const issuer = `http://127.0.0.1:${server.address().port}`
console.log(JSON.stringify({ issuer }))
