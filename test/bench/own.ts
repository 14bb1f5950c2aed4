import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { createHandlers } from '../../server/http/msw.ts'
import { createHarness, type Harness, type TenantCreated } from '../../server/index.ts'
import { median } from './measure.ts'

type Figure = Readonly<{ what: string; figure: string }>

/** What only we do: flows, tenants, completion, hosts without sockets. */
export const ownFigures = async (): Promise<Figure[]> => [
  await flows('introspection'),
  await flows('expiry'),
  await tenants(),
  ...(await completion()),
  await mswOverhead(),
]

const json = { 'content-type': 'application/json' }

const signIn = async (harness: Harness, tenant: TenantCreated): Promise<string> => {
  const [agent] = tenant.agents
  const answer = await harness.fetch(`${tenant.urls.tenant}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: agent?.client_id ?? '',
      client_secret: agent?.client_secret ?? '',
    }),
  })
  return ((await answer.json()) as { access_token: string }).access_token
}

const answered = async <T>(answer: Promise<Response>): Promise<T> =>
  (await answer).json() as Promise<T>

/** 403, request, token, 200, complete; ten flows at once over real HTTP. */
const flows = async (revocation: 'introspection' | 'expiry'): Promise<Figure> => {
  await using harness = await createHarness()
  const tenant = harness.createTenant({ dialect: { revocation } })
  const bearer = { authorization: `Bearer ${await signIn(harness, tenant)}` }
  const { tenant: base, api } = tenant.urls
  const detail = { type: 'file_access', actions: ['read'], identifier: 'doc_9982' }
  const flow = async () => {
    const task = await answered<{ task_id: string }>(
      fetch(`${base}/jit/task`, { method: 'POST', headers: { ...bearer, ...json }, body: '{}' }),
    )
    const refused = await fetch(`${api}/v1/documents/doc_9982`, { headers: bearer })
    await refused.arrayBuffer()
    const request = await answered<{ token_url: string }>(
      fetch(`${base}/jit/request`, {
        method: 'POST',
        headers: { ...bearer, ...json },
        body: JSON.stringify({ task_id: task.task_id, authorization_details: detail }),
      }),
    )
    const { access_token } = await answered<{ access_token: string }>(
      fetch(harness.issuer + request.token_url, { method: 'POST', headers: bearer }),
    )
    const read = await fetch(`${api}/v1/documents/doc_9982`, {
      headers: { authorization: `Bearer ${access_token}` },
    })
    await read.arrayBuffer()
    if (refused.status !== 403 || read.status !== 200) throw new Error('the flow is broken')
    await answered(
      fetch(`${base}/jit/task/${task.task_id}/complete`, { method: 'POST', headers: bearer }),
    )
  }
  await Promise.all(Array.from({ length: 50 }, flow))
  const each = 100
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (let n = 0; n < each; n += 1) await flow()
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  return {
    what: `whole JIT flows per second (6 requests, revocation by ${revocation}; client in the same process)`,
    figure: ((10 * each) / seconds).toFixed(0),
  }
}

const tenants = async (): Promise<Figure> => {
  await using harness = await createHarness({ listen: false })
  const times = Array.from({ length: 1000 }, () => {
    const startedAt = performance.now()
    harness.createTenant()
    return performance.now() - startedAt
  })
  return { what: 'creating a tenant, median of 1000', figure: `${median(times).toFixed(3)} ms` }
}

/** Completing a task with 10 tokens among N others. */
const completion = async (): Promise<Figure[]> => {
  const figures: Figure[] = []
  for (const others of [100, 1_000, 10_000, 100_000]) {
    await using harness = await createHarness({ listen: false, algorithm: 'ES256' })
    const tenant = harness.createTenant({
      policy: {
        scoring: { low: 0, medium: 0, high: 0, critical: 0, denial: 0 },
        rules: [{ name: 'all', risk: 'low', decision: 'approve' }],
      },
    })
    const bearer = { authorization: `Bearer ${await signIn(harness, tenant)}` }
    const { tenant: base } = tenant.urls
    const post = <T>(path: string, body: object = {}) =>
      answered<T>(
        harness.fetch(`${base}${path}`, {
          method: 'POST',
          headers: { ...bearer, ...json },
          body: JSON.stringify(body),
        }),
      )
    const open = async (tokens: number) => {
      const { task_id } = await post<{ task_id: string }>('/jit/task')
      for (let n = 0; n < tokens; n += 1) {
        const { request_id } = await post<{ request_id: string }>('/jit/request', {
          task_id,
          authorization_details: { type: 'file_access', actions: ['read'], identifier: `d${n}` },
        })
        await post(`/jit/request/${request_id}/token`)
      }
      return task_id
    }
    for (let n = 0; n < others / 10; n += 1) await open(10)
    const times: number[] = []
    for (let n = 0; n < 20; n += 1) {
      const task = await open(10)
      const startedAt = performance.now()
      await post(`/jit/task/${task}/complete`)
      times.push(performance.now() - startedAt)
    }
    figures.push({
      what: `completing a task with 10 tokens among ${others}, median of 20`,
      figure: `${median(times).toFixed(3)} ms`,
    })
  }
  return figures
}

/** What our handlers cost over MSW's own cost with a trivial one. */
const mswOverhead = async (): Promise<Figure> => {
  await using harness = await createHarness({ listen: false })
  const tenant = harness.createTenant()
  const url = `${tenant.urls.tenant}/.well-known/jwks.json`
  const timed = async (ask: (url: string) => Promise<Response>, at: string) => {
    const times: number[] = []
    for (let n = 0; n < 500; n += 1) {
      const startedAt = performance.now()
      await (await ask(at)).arrayBuffer()
      times.push(performance.now() - startedAt)
    }
    return median(times.slice(100))
  }
  const server = setupServer(
    http.get('https://trivial.test/', () => HttpResponse.json({})),
    ...createHandlers(harness),
  )
  server.listen({ onUnhandledFrame: 'error' })
  try {
    const trivial = await timed(fetch, 'https://trivial.test/')
    const ours = await timed(fetch, url)
    const direct = await timed((at) => harness.fetch(at), url)
    return {
      what: 'MSW: our handler, a trivial handler, our handler called directly; what MSW adds to ours beyond its own cost',
      figure: `${ours.toFixed(3)}, ${trivial.toFixed(3)}, ${direct.toFixed(3)}; ${(ours - trivial - direct).toFixed(3)} ms`,
    }
  } finally {
    server.close()
  }
}
