// A foreign issuer: oauth2-mock-server, which accepts every client and every secret.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const installed = createRequire(`${process.env.FOREIGN}/package.json`)
const { OAuth2Server } = await import(pathToFileURL(installed.resolve('oauth2-mock-server')).href)

const server = new OAuth2Server()
await server.issuer.keys.generate('RS256')
await server.start(0, '127.0.0.1')
// Its URL names localhost.
console.log(JSON.stringify({ issuer: server.issuer.url }))
