/**
 * How long one request blocks the event loop: the longest time between two of its turns, in one
 * process, without a socket. Parsing, handling and writing a response thus count as one block.
 */
import { pathsOf, type Route, type RouteName } from '../../../server/wire/index.ts'
import {
  type Answered,
  all,
  bugs,
  harness,
  openWorld,
  type World,
} from '../../server/bad-input-world.ts'

export type Stall = Readonly<{ what: string; ms: number; answered: string }>

export type Stalls = Readonly<{
  /** By route, the worst of all inputs. */
  routes: readonly Stall[]
  /** Routes that need their own state, or their own body. */
  special: readonly Stall[]
}>

type Send = () => Promise<Answered>

/** The median of three, after one that does not count: by then the code is compiled. */
const stallOf = async (what: string, send: Send): Promise<Stall> => {
  const seen: number[] = []
  let answered = ''
  for (let round = 0; round < 4; round += 1) {
    const { longest, result } = await watch(send)
    answered = result
    if (round > 0) seen.push(longest)
    // A request that takes seconds is not repeated.
    if (longest > 2000) return { what, ms: longest, answered }
  }
  return { what, ms: seen.sort((a, b) => a - b)[1] ?? Number.NaN, answered }
}

/** The first call, for results that are cached afterwards. */
const firstStallOf = async (what: string, send: Send): Promise<Stall> => {
  const { longest, result } = await watch(send)
  return { what, ms: longest, answered: result }
}

const watch = async (send: Send): Promise<{ longest: number; result: string }> => {
  await new Promise(setImmediate)
  let longest = 0
  let last = performance.now()
  let isOver = false
  const turn = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  const result = await send().then(
    ({ status }) => String(status),
    (failed) => String((failed as Error).message).slice(0, 40),
  )
  isOver = true
  await new Promise(setImmediate)
  return { longest, result }
}

const kib64 = 64 * 1024 - 64
const filled = (piece: string, bytes: number) => piece.repeat(Math.floor(bytes / piece.length))
const numbered = (bytes: number, piece: (at: number) => string) => {
  const pieces: string[] = []
  for (let at = 0, size = 0; size < bytes - 32; at += 1) {
    pieces.push(piece(at))
    size += (pieces.at(-1)?.length ?? 0) + 1
  }
  return pieces
}

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

const jsonBodies = [
  `{"a":${'['.repeat(32_000)}${']'.repeat(32_000)}}`,
  `{"a":[${filled('0,', kib64)}0]}`,
  `{${numbered(kib64, (at) => `"k${at}":0`).join(',')}}`,
  `{"authorization_details":{"type":"t","a":[${filled('[],', kib64 - 64)}0]}}`,
  `{"name":"${filled('a ', kib64)}","scope":"a"}`,
  `{"scope":"${filled('a ', kib64)}"}`,
]
const forms = [
  filled('a=1&', kib64),
  numbered(kib64, (at) => `k${at}=1`).join('&'),
  `scope=${filled('a+', kib64)}`,
  `grant_type=client_credentials&authorization_details=${'['.repeat(32_000)}${']'.repeat(32_000)}`,
  `grant_type=client_credentials&authorization_details=[${filled('{},', kib64 - 128)}{}]`,
  filled('resource=https://a.example&', kib64),
]
const part = (text: string) => Buffer.from(text).toString('base64url')
const tokens = [
  `${part('{"alg":"ES256","typ":"at+jwt","kid":"k"}')}.${part(`{"a":${'['.repeat(5500)}${']'.repeat(5500)}}`)}.${part('s')}`,
  `${part('{"alg":"ES256","typ":"at+jwt","kid":"k"}')}.${part(`{${numbered(11_000, (at) => `"${at}":0`).join(',')}}`)}.${part('s')}`,
  `${part('{"alg":"ES256","typ":"at+jwt","kid":"k"}')}.${part(`{"aud":[${filled('"a",', 11_000)}"a"]}`)}.${part('s')}`,
  filled('.', 15_000),
]

const ofRoute = async (world: World, name: RouteName, route: Route): Promise<Stall> => {
  const credentials = await world.credentials(name, route)
  const path = world.pathOf(pathsOf(route)[0] ?? '')
  const bodies = route.method === 'GET' ? [''] : route.form ? forms : jsonBodies
  const sends: [string, Send][] = bodies.map((body, at) => [
    body === '' ? 'as it is' : `${route.form ? 'form' : 'JSON'} ${at + 1}`,
    () =>
      world.ask(route, {
        path,
        headers: { ...credentials, ...(body === '' ? {} : route.form ? form : json) },
        ...(body === '' ? {} : { body }),
      }),
  ])
  const withTokens: [string, Send][] =
    route.auth === 'none'
      ? []
      : tokens.map((token, at) => [
          `token ${at + 1}`,
          () => world.ask(route, { path, headers: { authorization: `Bearer ${token}` } }),
        ])
  let worst: Stall = { what: name, ms: 0, answered: '' }
  for (const [says, send] of [...sends, ...withTokens]) {
    const stall = await stallOf(`\`${name}\`, ${says}`, send)
    if (stall.ms > worst.ms) worst = stall
  }
  return worst
}

const routes: Stall[] = []
for (const [name, route] of all) {
  // Event streams never end, and deleting the tenant would end the bench.
  if (name === 'console.events' || name === 'control.tenant.delete') continue
  routes.push(await ofRoute(await openWorld(), name, route))
}

const special: Stall[] = []
const routeOf = (name: string) => Object.fromEntries(all)[name] as Route
const asked =
  (world: World, name: RouteName, path: string, sent: { body?: string } = {}) =>
  async () => {
    const headers = await world.credentials(name, routeOf(name))
    return world.ask(routeOf(name), {
      path: world.pathOf(path),
      headers: { ...headers, ...(sent.body === undefined ? {} : json) },
      ...sent,
    })
  }

const call = (at: number) =>
  `{"type":"function_call","call_id":"c${at}","name":"read","arguments":"{}"}`
const mebibytes4 = 4 * 1024 * 1024 - 1024
const modelBodies: [string, RouteName, string][] = [
  [
    'a model turn of 4 MB of function calls',
    'model.responses',
    `{"model":"scripted","input":[${numbered(mebibytes4, call).join(',')}]}`,
  ],
  [
    'a model turn of 360 kB of function calls',
    'model.responses',
    `{"model":"scripted","input":[${numbered(360 * 1024, call).join(',')}]}`,
  ],
  [
    'references to 30 000 items',
    'model.responses',
    `{"model":"scripted","input":[${numbered(1024 * 1024, (at) => `{"type":"item_reference","id":"fc_${String(at).padStart(8, '0')}_0"}`).join(',')}]}`,
  ],
  [
    'a chat of 4 MB in one message',
    'model.chat',
    `{"model":"scripted","messages":[{"role":"user","content":"${filled('word ', mebibytes4)}"}]}`,
  ],
  [
    'a chat of 4 MB in many messages',
    'model.chat',
    `{"model":"scripted","messages":[${numbered(mebibytes4, () => '{"role":"user","content":"hello"}').join(',')}]}`,
  ],
]
{
  const world = await openWorld()
  for (const [what, name, body] of modelBodies) {
    const [path = ''] = pathsOf(routeOf(name))
    special.push(await stallOf(what, asked(world, name, path, { body })))
  }
  const conversations = pathsOf(routeOf('control.model.conversations'))[0] ?? ''
  special.push(
    await stallOf(
      'then `control.model.conversations`',
      asked(world, 'control.model.conversations', conversations),
    ),
  )
  const yamlOf = (yaml: string) => JSON.stringify({ yaml })
  const yamls: [string, string][] = [
    ['YAML of 56 kB, many keys', numbered(56 * 1024, (at) => `k${at}: 1`).join('\n')],
    ['YAML of 64 kB, deep', '['.repeat(kib64 - 64)],
    ['YAML of 64 kB, many values', `[${filled('1,', kib64 - 64)}]`],
    ['YAML of 64 kB, many errors', filled('- @ ', kib64 - 64)],
  ]
  const script = pathsOf(routeOf('control.model.script'))[0] ?? ''
  for (const [what, yaml] of yamls) {
    special.push(
      await stallOf(what, asked(world, 'control.model.script', script, { body: yamlOf(yaml) })),
    )
  }
}

/** A tenant that its agents have filled up to every limit. */
{
  const world = await openWorld()
  const lax = {
    rules: [{ name: 'all waits', risk: 'critical', decision: 'ask' }],
    scoring: { critical: 0, suspend_from: 1_000_000 },
  }
  const policy = routeOf('control.policy.replace')
  await world.ask(policy, {
    path: world.pathOf(pathsOf(policy)[0] ?? ''),
    headers: { authorization: `Bearer ${harness.controlToken}`, ...json },
    body: JSON.stringify(lax),
  })
  const agent = { authorization: `Bearer ${world.agentToken}`, ...json }
  const send = (name: RouteName, path: string, body: object) =>
    world.ask(routeOf(name), {
      path: world.pathOf(path),
      headers: agent,
      body: JSON.stringify(body),
    })
  const tasks: string[] = []
  for (let task = 0; task < 10; task += 1) {
    const { text } = await send('jit.task.create', '/t/:tenant/api/v1/jit/task', {})
    const { task_id } = JSON.parse(text)
    tasks.push(task_id)
    for (let request = 0; request < 100; request += 1) {
      await send('jit.request', '/t/:tenant/api/v1/jit/request', {
        task_id,
        authorization_details: { type: 'payment', identifier: 'same', note: 'x'.repeat(4000) },
        justification: 'y'.repeat(4000),
      })
    }
  }
  const pending = asked(world, 'jit.pending', '/t/:tenant/api/v1/jit/pending')
  special.push(await stallOf('1000 requests of 8 kB by one agent: the pending list', pending))
  const everything = asked(world, 'jit.pending', '/t/:tenant/api/v1/jit/pending?limit=100')
  special.push(await stallOf('the same, 100 on the page', everything))
  const inbox = asked(world, 'console.inbox', '/console/:tenant/inbox')
  special.push(await stallOf('and the inbox of the approvals page', inbox))
  // Each of these lists is recorded.
  for (let count = 0; count < 60; count += 1) await pending()
  const views: [RouteName, string][] = [
    ['control.exchanges', '/_harness/tenants/:tenant/exchanges'],
    ['console.exchanges', '/console/:tenant/exchanges'],
    ['console.task', `/console/:tenant/tasks/${tasks[0]}`],
    ['console.tasks', '/console/:tenant/tasks'],
    ['control.journal', '/_harness/tenants/:tenant/journal'],
    ['console.journal', '/console/:tenant/journal'],
  ]
  for (const [name, path] of views) {
    special.push(await firstStallOf(`then \`${name}\``, asked(world, name, path)))
  }
}

if (bugs.length > 0)
  process.stderr.write(`\n${bugs.length} bugs, such as ${bugs[0]?.slice(0, 200)}`)
await harness.close()
process.stdout.write(`${JSON.stringify({ routes, special } satisfies Stalls)}\n`)
process.exit(0)
