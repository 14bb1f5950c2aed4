import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deviationsOf, rulesOf } from '../../scenarios/checks/deviations.ts'
import type { Target } from '../../scenarios/language/target.ts'
import { countsOf, type Result } from '../../scenarios/runner/verdict.ts'
import { mock } from '../../scenarios/targets/mock/mock.ts'
import { Dialect, dialects } from '../../server/wire/index.ts'
import { figure } from '../support/figure.ts'
import { lumoauthHarness } from '../support/running.ts'
import { checked, failed, ofIssuer, ours, suite } from './checked.ts'
import { issuerElsewhere } from './issuer.ts'

/**
 * What `check issuer` says of issuers that keep every rule, or break one that we know. A verdict on
 * another rule is wrong.
 */
const everything = [...ours, ...suite]

let referenceMock: Target
beforeAll(async () => {
  referenceMock = await mock('fetch')
})
afterAll(async () => {
  await referenceMock.close()
})

/** The rules that are said to be broken. */
const accused = (results: readonly Result[]) =>
  [...new Set(deviationsOf(results, ofIssuer).map(({ rule }) => rule))].sort()

const told = (target: string, results: readonly Result[]) => {
  const rules = rulesOf(results, ofIssuer)
  const kept = rules.filter(({ verdict }) => verdict === 'passed').length
  figure(`verdicts, ${target}`, { ...countsOf(results), kept, accused: accused(results).length })
}

describe('check issuer of a default start', () => {
  /** `start` as a user runs it, and the target that `target init` writes for it. */
  const started = async (approver: 'token' | 'manual' | 'none', dialect: object = {}) => {
    const start = lumoauthHarness(['start', '--json', '--port', '0', '--api-port', '0'])
    const [line] = await start.prints('stdout', /^.*\n/)
    const { issuer, tenant, client_id, client_secret, control_token, approver_token } =
      JSON.parse(line)
    const changed = await fetch(`${issuer}/_harness/tenants/${tenant}/dialect`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${control_token}`, 'content-type': 'application/json' },
      body: JSON.stringify(dialect),
    })
    expect(changed.status).toBe(200)
    return {
      env: { ID: client_id, SECRET: client_secret, TOKEN: approver_token },
      target: `
issuer: { url: "${issuer}", tenant: ${tenant} }
agents: [{ name: ${client_id}, client_id_env: ID, client_secret_env: SECRET }]
users: [{ email: approver@example.com, token_env: TOKEN, permissions: [jit.approve] }]
approver: ${approver}
limits: { requests_per_minute: 60000, requests: 20000, wait: ${approver === 'manual' ? 'PT10S' : 'PT2S'}, person: PT20S }
`,
      /** Decides as the printed line asks, with the approver's token. */
      decide: async (said: string) => {
        const [, decision, id, url] = /please (\w+) the request (\S+) at (\S+)/.exec(said) ?? []
        const [, ttl] = / for (\d+) s/.exec(said) ?? []
        const [, reason] = / with the reason ("(?:[^"\\]|\\.)*")/.exec(said) ?? []
        const message = reason === undefined ? undefined : JSON.parse(reason)
        await fetch(`${new URL(url ?? '').origin}/t/${tenant}/api/v1/jit/${decision}/${id}`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${approver_token}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify({
            notes: message,
            reason: message,
            agent_message: message,
            ...(ttl && { ttl: Number(ttl) }),
          }),
        })
      },
      [Symbol.asyncDispose]: () => start[Symbol.asyncDispose](),
    }
  }

  it.each(['token', 'none', 'manual'] as const)(
    'finds no deviation, twice, with approver: %s',
    async (approver) => {
      await using start = await started(approver)
      for (const round of ['first', 'second']) {
        const decisions: Promise<void>[] = []

        const { results, leftovers } = await checked(start, everything, referenceMock, (line) =>
          decisions.push(start.decide(line)),
        )

        await Promise.all(decisions)
        told(`start, approver ${approver}, ${round} check`, results)
        expect(failed(results)).toEqual([])
        expect(leftovers).toEqual([])
        expect(countsOf(results).passed).toBeGreaterThan(approver === 'none' ? 120 : 140)
        if (approver === 'manual') expect(decisions.length).toBeGreaterThan(0)
      }
    },
    300_000,
  )

  const usual: Readonly<Record<string, unknown>> = Dialect.parse({})
  const choices = (Object.keys(dialects) as (keyof Dialect)[]).flatMap((name) =>
    (Dialect.shape[name].unwrap().options as readonly string[])
      .filter((value) => value !== usual[name])
      .map((value) => ({ name, value })),
  )
  it.each(process.env.INTEROP === 'all' ? choices : choices.filter((_, index) => index % 8 === 0))(
    'finds no deviation in the dialect $name $value',
    async ({ name, value }) => {
      await using start = await started('token', { [name]: value })

      const { results } = await checked(start, everything, referenceMock)

      told(`start, dialect ${name} ${value}`, results)
      expect(failed(results)).toEqual([])
    },
    120_000,
  )
})

/** An issuer behind a proxy that answers 503 from the n-th request on. */
const unavailableFrom = async (first: number, upstream: string, page: boolean) => {
  let count = 0
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (count++ >= first) {
      response.writeHead(503, { 'content-type': page ? 'text/html' : 'application/json' })
      response.end(page ? '<h1>Sorry</h1>' : '{"error":"down","error_description":"Try later."}')
      return
    }
    const { connection: _, 'content-length': __, host: ___, ...headers } = request.headers
    const answer = await fetch(upstream + request.url, {
      method: request.method ?? 'GET',
      headers: headers as Record<string, string>,
      redirect: 'manual',
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    })
    const fields = [...answer.headers].filter(
      ([field]) => !['connection', 'content-length', 'transfer-encoding'].includes(field),
    )
    response.writeHead(answer.status, Object.fromEntries(fields))
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

describe('check issuer of an issuer that', () => {
  const policyFor = (decision: string) => ({
    rules: [{ name: 'all alike', risk: 'low', decision }],
  })

  it.each(['approve', 'deny'])(
    'decides to %s every request accuses the policy only',
    async (decision) => {
      await using issuer = await issuerElsewhere()
      await issuer.control('PUT', '/policy', policyFor(decision))

      const { results } = await checked(issuer, everything, referenceMock)

      told(`policy: ${decision} all`, results)
      // Its policy is not the documented one, and says low of everything.
      expect(accused(results)).toEqual(['LUMO-RISK-HUMAN', 'LUMO-RISK-LEVEL'])
      const reasons = results.map(({ reason }) => reason ?? '')
      const word = decision === 'approve' ? 'approved' : 'denied'
      expect(reasons).toContain(
        `its policy decides a request as ${word}, the documented policy as pending`,
      )
    },
    180_000,
  )

  it.each([
    { first: 25, page: false },
    { first: 25, page: true },
    { first: 300, page: false },
  ])(
    'answers 503 after $first requests accuses nothing',
    async ({ first, page }) => {
      await using issuer = await issuerElsewhere()
      await using proxy = await unavailableFrom(first, issuer.issuer, page)
      const target = issuer.target.replaceAll(issuer.issuer, proxy.url)

      const { results } = await checked({ ...issuer, target }, everything, referenceMock)

      told(`503 after ${first} requests${page ? ', as a page' : ''}`, results)
      // Behind a proxy its metadata names another origin than the one asked, which it does not know.
      expect(accused(results).filter((rule) => rule !== 'ASM-02')).toEqual([])
      expect(results.map(({ reason }) => reason ?? '')).toContainEqual(
        expect.stringMatching(/^not available: (GET|POST) \/.* answered 503$/),
      )
    },
    240_000,
  )

  it('answers 503 to everything is not checked', async () => {
    await using issuer = await issuerElsewhere()
    await using proxy = await unavailableFrom(0, issuer.issuer, false)
    const target = issuer.target.replaceAll(issuer.issuer, proxy.url)

    await expect(checked({ ...issuer, target }, everything, referenceMock)).rejects.toThrow(
      /no issuer at .* answered 503/,
    )
  }, 60_000)
})
