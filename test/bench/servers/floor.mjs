/**
 * The floor: bare node:http that does nothing but sign with jose. It looks at no client and keeps
 * nothing. At `/plain` it does not even sign.
 */
import { createServer } from 'node:http'
import { generateKeyPair, SignJWT } from 'jose'

const alg = process.argv[2] ?? 'RS256'
const { privateKey } = await generateKeyPair(alg)

const token = () => {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ sub: 'agent:bench', client_id: 'bench', scope: 'read' })
    .setProtectedHeader({ alg, kid: 'k', typ: 'at+jwt' })
    .setIssuer('http://localhost')
    .setAudience('api')
    .setIssuedAt(now)
    .setExpirationTime(now + 3600)
    .setJti(String(Math.random()))
    .sign(privateKey)
}

const server = createServer(async (request, response) => {
  for await (const _ of request) {
    // Read to the end, so that the connection can be used again.
  }
  const body = JSON.stringify(
    request.url === '/plain'
      ? { task_id: 'task_4f1c9a0be2d37785', status: 'active' }
      : { access_token: await token(), token_type: 'Bearer', expires_in: 3600 },
  )
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
})
server.listen(0, '127.0.0.1', () => {
  console.log(
    JSON.stringify({
      token: `http://127.0.0.1:${server.address().port}/token`,
      form: 'grant_type=client_credentials&client_id=bench&client_secret=secret-of-the-bench',
    }),
  )
})
