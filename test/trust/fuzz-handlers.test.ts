import { afterAll, expect, it } from 'vitest'
import { bugs, harness, openWorld } from '../server/bad-input-world.ts'
import { figure } from '../support/figure.ts'
import { type Garbage, garbageFor } from './garbage.ts'
import { randomFrom, size } from './sizes.ts'
import { mebibytes, memory } from './steady.ts'

const requests = size('FUZZ_REQUESTS', 20_000, 1_000_000)
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

afterAll(() => harness.close())

it('no random request makes a handler crash, hang, answer 5xx or keep expired records', async () => {
  const random = randomFrom(seed)
  const statuses: Record<number, number> = {}
  const wrong: string[] = []
  const readings: number[] = []
  const perWorld = Math.max(500, Math.min(5_000, requests / 8))

  for (let sent = 0; sent < requests; ) {
    const world = await openWorld()
    // Random requests may delete the tenant: without any tenant the API answers 503, by design.
    harness.createTenant()
    const garbage = await garbageFor(world, random)
    for (let count = 0; count < perWorld && sent < requests; count += 1, sent += 1) {
      const request = garbage()
      const status = await answered(request)
      statuses[status] = (statuses[status] ?? 0) + 1
      if (status >= 500 && status !== 501) wrong.push(`${status} to ${told(request)}`)
    }
    await removeTenants()
    readings.push(memory())
  }

  expect({ seed, wrong: wrong.slice(0, 5), bugs: bugs.slice(0, 5) }).toEqual({
    seed,
    wrong: [],
    bugs: [],
  })
  const [, first = 0] = readings
  const last = readings.at(-1) ?? 0
  figure('garbage over the handlers', {
    requests,
    '5xx': 0,
    bugs: 0,
    'statuses seen': Object.keys(statuses).join(' '),
    accepted: (statuses[200] ?? 0) + (statuses[201] ?? 0) + (statuses[204] ?? 0),
    'MiB after the second world and at the end': `${mebibytes(first)} and ${mebibytes(last)}`,
    seed,
  })
  expect(last).toBeLessThan(first * 1.25 + 8 * 2 ** 20)
})

const answered = async (request: Garbage): Promise<number> => {
  let timer: NodeJS.Timeout | undefined
  // In seconds of this process's running time: a suspended process ages by one.
  const late = new Promise<never>((_, reject) => {
    let seconds = 0
    timer = setInterval(() => {
      seconds += 1
      if (seconds === 20) reject(new Error(`no answer to ${told(request)}`))
    }, 1000)
  })
  const response = await Promise.race([harness.handle(requestOf(request)), late])
  clearInterval(timer)
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    await response.body?.cancel()
  } else {
    await response.text()
  }
  return response.status
}

const requestOf = ({ route, method, path, search, headers, body }: Garbage): Request => {
  const origin = route.seat === 'api' ? harness.api : harness.issuer
  const url = new URL(origin)
  url.pathname = path
  url.search = search
  const carries = body !== undefined && method !== 'GET' && method !== 'HEAD'
  return new Request(url, { method, headers: { ...headers }, ...(carries ? { body } : {}) })
}

const told = ({ method, path, search, headers, body }: Garbage) =>
  `${method} ${path}?${search} ${JSON.stringify(headers)} ${body?.slice(0, 2000)}`

const removeTenants = async () => {
  const asked = (path: string, method: string) =>
    harness.handle(
      new Request(`${harness.issuer}/_harness/tenants${path}`, {
        method,
        headers: { authorization: `Bearer ${harness.controlToken}` },
      }),
    )
  const { tenants } = (await (await asked('', 'GET')).json()) as { tenants: string[] }
  for (const slug of tenants) await asked(`/${encodeURIComponent(slug)}`, 'DELETE')
}
