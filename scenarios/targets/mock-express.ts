import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { createHarness, type Harness } from '../../server/index.ts'

/** A harness in two Express apps, as it would be mounted in an app of one's own. */
export const inExpress = async (): Promise<{ harness: Harness; stop: () => void }> => {
  const [issuer, api] = [express(), express()]
  const [issuerServer, apiServer] = await Promise.all([listening(issuer), listening(api)])
  const harness = await createHarness({
    origins: { issuer: originOf(issuerServer), api: originOf(apiServer) },
  })
  issuer.use(harness.listeners.issuer)
  api.use(harness.listeners.api)
  const stop = () => {
    for (const server of [issuerServer, apiServer]) {
      server.close()
      server.closeAllConnections()
    }
  }
  return { harness, stop }
}

const listening = (app: Express): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = app.listen(0, '127.0.0.1', (failed) =>
      failed ? reject(failed) : resolve(server),
    )
  })

const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
