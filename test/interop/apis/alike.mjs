// An API that answers every request alike: `node alike.mjs STATUS`.
import { createServer } from 'node:http'

const status = Number(process.argv[2])
createServer((_, response) => {
  const headers = status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}')
}).listen(Number(process.env.PORT), '127.0.0.1')
