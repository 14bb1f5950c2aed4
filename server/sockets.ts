import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HarnessOptions, Seats } from './harness.ts'
import { expressHost } from './http/express.ts'
import type { Origins } from './http/tenancy.ts'

/** Opens both ports and writes the origins they give. All or none. */
export const listenAll = async (
  { issuer, api }: Seats,
  origins: Origins,
  { host = '127.0.0.1', port = 0, apiPort = 0 }: HarnessOptions,
): Promise<{ close: () => Promise<void> }> => {
  const servers = [createServer(expressHost(issuer)), createServer(expressHost(api))] as const
  const close = async () => {
    await Promise.all(servers.map(closed))
  }
  try {
    origins.issuer = await listening(servers[0], host, port)
    origins.api = await listening(servers[1], host, apiPort)
  } catch (failed) {
    await close()
    throw failed
  }
  return { close }
}

/** @returns the origin it can be reached at */
const listening = (server: Server, host: string, port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      const { port: chosen, family } = server.address() as AddressInfo
      const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
      resolve(`http://${family === 'IPv6' && name !== 'localhost' ? `[${name}]` : name}:${chosen}`)
    })
  })

/** Answers what was accepted, and waits for nobody who has nothing to ask. */
const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    if (!server.listening) return resolve()
    server.close(() => resolve())
    server.closeIdleConnections()
  })
