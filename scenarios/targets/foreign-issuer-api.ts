import { randomBytes } from 'node:crypto'
import { createResourceServer } from '../../server/api/resource-server.ts'
import { RemoteIssuer } from '../../server/express/remote-issuer.ts'
import { apiHandlers } from '../../server/http/api/handlers.ts'
import { fetchHost } from '../../server/http/hosts/fetch.ts'
import { createSeat } from '../../server/http/pipeline.ts'
import { DocumentSeed } from '../../server/wire/index.ts'
import type { Given } from '../language/format.ts'

export type ForeignIssuer = Readonly<{
  /** Base of the tenant: below it are the metadata. */
  base: string
  /** The issuer identifier in its tokens and metadata. */
  issuers: readonly string[]
  /** What the API is called in `aud`. */
  audience: readonly string[]
  /** The introspecting client; absent: tokens are valid until exp. */
  client: Readonly<{ client_id: string; client_secret: string }> | undefined
  fetch: typeof fetch
}>

/** Our documents API with a foreign issuer, without a socket. */
export const openApiBefore = ({ base, issuers, audience, client, fetch }: ForeignIssuer) => {
  const now = () => Date.now() / 1000
  const remote = new RemoteIssuer({
    tenant: base,
    issuers,
    client: client && { clientId: client.client_id, clientSecret: client.client_secret },
    fetch,
    now,
    coolDown: 0,
    keysLifetime: 600,
    timeout: 10_000,
  })

  /** One API with documents of its own. */
  return (documents: Given['documents']): typeof globalThis.fetch => {
    const tenant = createResourceServer({
      documents: documents?.map((it) => DocumentSeed.parse(it)) ?? usualDocuments,
      id: (prefix) => `${prefix}_${randomBytes(8).toString('hex')}`,
      now,
      leeway: 5,
      issuers,
      audience,
      types: ['at+jwt', 'JWT'],
      keys: remote.findKeys,
      revocation: client === undefined ? 'expiry' : 'introspection',
      introspect: remote.introspect,
    })
    const serve = fetchHost(
      createSeat({
        name: 'api',
        areas: [{ handlers: apiHandlers, authenticate: () => ({ tenant }) }],
      }),
    )
    return (input, init) => serve(new Request(input, init))
  }
}

const usualDocuments = [
  DocumentSeed.parse({
    id: 'doc_9982',
    title: 'Q4 revenue',
    classification: 'confidential',
    body: 'Revenue rose 12 % to 48.1 million in the fourth quarter. Costs fell 3 %.',
  }),
]
