/** The floor: bare node:http that does nothing but sign with jose. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateKeyPair, SignJWT } from 'jose'

const alg = process.argv[2] ?? 'RS256'
const { privateKey } = await generateKeyPair(alg)

const server = createServer(async (request, response) => {
  for await (const _ of request) {
    // Read to the end, so that the connection can be used again.
  }
  const now = Math.floor(Date.now() / 1000)
  const token = await new SignJWT({ sub: 'agent:bench', client_id: 'bench', scope: 'read' })
    .setProtectedHeader({ alg, kid: 'k', typ: 'at+jwt' })
    .setIssuer('http://localhost')
    .setAudience('api')
    .setIssuedAt(now)
    .setExpirationTime(now + 3600)
    .setJti(String(Math.random()))
    .sign(privateKey)
  const body = JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 3600 })
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(
    JSON.stringify({
      token: `http://127.0.0.1:${port}/token`,
      form: 'grant_type=client_credentials&client_id=bench&client_secret=secret-of-the-bench',
    }),
  )
})
