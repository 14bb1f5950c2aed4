import type { ResourceServerOptions } from '../../../server/api/resource-server.ts'
import { createResourceServer } from '../../../server/api/resource-server.ts'
import type { IntrospectionView } from '../../../server/api/revocation.ts'
import { documentHandlers } from '../../../server/http/api/documents.ts'
import { reportHandlers } from '../../../server/http/api/reports.ts'
import { createExpressApp } from '../../../server/http/hosts/express.ts'
import { createSeat } from '../../../server/http/pipeline.ts'
import { generateSigningKey, KeyRing } from '../../../server/signing/keys.ts'
import { signJwt } from '../../../server/signing/sign.ts'
import type { AuthorizationDetail } from '../../../server/wire/index.ts'
import { supertest } from '../../support/supertest.ts'

export const issuer = 'https://lumo.test/t/acme/api/v1'
export const here = 'https://api.test'
export const start = 1_800_000_000

const key = await generateSigningKey('ES256')
export const keys = new KeyRing(key).findKeys

/** A resource server with its own clock, and an issuer that holds the revoked tokens. */
export const world = (more: Partial<ResourceServerOptions> = {}) => {
  let now = start
  let ids = 0
  const revoked = new Set<string>()
  const asked: string[] = []
  const api = createResourceServer({
    issuers: [issuer],
    audience: here,
    keys,
    now: () => now,
    id: (prefix) => `${prefix}_${++ids}`,
    revocation: 'introspection',
    introspect: async (token): Promise<IntrospectionView> => {
      asked.push(token)
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
      return revoked.has(claims.jti) ? { active: false } : { ...claims, active: true }
    },
    documents: [
      { id: 'doc_public', title: 'Opening hours', classification: 'public', body: 'Nine to five.' },
      { id: 'doc_internal', title: 'Canteen', classification: 'internal', body: 'Soup on Monday.' },
      {
        id: 'doc_9982',
        title: 'Q4 revenue',
        classification: 'confidential',
        body: 'Revenue rose 12 % to 48.1 million. Costs fell 3 %. Nothing else happened.',
      },
      {
        id: 'doc_people',
        title: 'Salaries',
        classification: 'restricted',
        body: 'Ada earns most.',
      },
    ],
    ...more,
  })
  const handlers = { ...documentHandlers, ...reportHandlers }
  const area = { handlers, authenticate: () => ({ tenant: api }) }
  const app = createExpressApp(createSeat({ name: 'api', areas: [area] }))
  const call = async (
    line: string,
    { token, body, headers = {} }: { token?: string; body?: unknown; headers?: object } = {},
  ) => {
    const [method = '', path = ''] = line.split(' ')
    const request = supertest(app)[method.toLowerCase() as 'get'](path)
    if (token !== undefined) request.auth(token, { type: 'bearer' })
    if (body !== undefined) request.type('json').send(JSON.stringify(body))
    const answer = await request.set(headers as Record<string, string>)
    // Headers that Node adds to every response.
    const { date, connection, 'content-length': length, ...fields } = answer.headers
    return {
      status: answer.status,
      headers: fields as Record<string, string>,
      body: answer.text === '' ? undefined : answer.body,
    }
  }
  return {
    api,
    call,
    asked,
    advance: (seconds: number) => {
      now += seconds
    },
    revoke: (jti: string) => revoked.add(jti),
  }
}

/** An agent’s token; the given claims replace the defaults. */
export const tokenWith = (claims: Readonly<Record<string, unknown>> = {}) =>
  signJwt(key, {
    iss: issuer,
    sub: 'agent:report-bot',
    aud: [here],
    client_id: 'report-bot',
    iat: start,
    exp: start + 300,
    jti: 'jti-1',
    ...claims,
  })

/** A token exchanged for an approval of these details. */
export const jitToken = (...details: readonly AuthorizationDetail[]) =>
  tokenWith({
    sub: 'agent:report-bot:task:task_1',
    jit: true,
    task_id: 'task_1',
    authorization_details: details,
  })

export const file = (identifier: string, ...actions: string[]): AuthorizationDetail => ({
  type: 'file_access',
  actions,
  identifier,
})
