import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const peers = createRequire(`${process.env.BENCH_PEERS}/package.json`)
const { OAuth2Server } = await import(pathToFileURL(peers.resolve('oauth2-mock-server')).href)

const server = new OAuth2Server()
await server.issuer.keys.generate(process.argv[2] ?? 'RS256')
await server.start(0, '127.0.0.1')
console.log(
  JSON.stringify({
    token: `${server.issuer.url}/token`,
    form: 'grant_type=client_credentials&client_id=bench&client_secret=secret-of-the-bench',
  }),
)
