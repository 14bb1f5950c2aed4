import { pathsOf, type Route, type RouteName, routes } from '../../server/wire/index.ts'
import { jsonSchema } from '../../server/wire/openapi/schemas.ts'
import { document, type openWorld, type Sent } from '../server/bad-input-world.ts'
import { sample } from '../support/faults.ts'

export type Random = () => number

/** A request that is random, or nearly valid. */
export type Garbage = Sent &
  Readonly<{ route: Route; method: string; path: string; search: string }>

export const pick = <T>(random: Random, among: readonly T[]): T =>
  among[Math.floor(random() * among.length)] as T

const strangeTexts = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\udfff\ud800',
  '\u202e',
  '\ufeff',
  '💥'.repeat(50),
  '..',
  '../../etc/passwd',
  '%',
  '%00',
  '%ff',
  '%C0%AE',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '<script>alert(1)</script>',
  '"\'`;--',
  'a\r\nset-cookie: x=y',
  '\u001b[2J',
  '\u0024{jndi:ldap://127.0.0.1/x}',
  'javascript:alert(1)',
  'http://169.254.169.254/',
  'http://[::1]:99999/',
  'PT99999999999999999999S',
  'P1Y',
  '1e999',
  '-0',
  '9007199254740993',
  '2026-02-31T25:61:61Z',
  '0000-00-00',
  'eyJhbGciOiJub25lIn0.e30.',
  'eyJ.eyJ.eyJ',
  'a'.repeat(5000),
  '('.repeat(2000),
  'a:'.repeat(2000),
]

const strangeValues: readonly ((random: Random) => unknown)[] = [
  (random) => pick(random, strangeTexts),
  (random) => pick(random, [0, -1, 1.5, -0, 1e21, 2 ** 53, -(2 ** 63), 1e308, 5e-324]),
  () => null,
  () => true,
  () => [],
  () => ({}),
  (random) => Array.from({ length: Math.floor(random() * 300) }, () => 'x'),
  (random) => nested(Math.floor(random() * 2000)),
  (random) => ({ [pick(random, strangeTexts)]: pick(random, strangeTexts) }),
  (random) => text(random, 40),
]

const nested = (depth: number): unknown => {
  let value: unknown = 'deep'
  for (let at = 0; at < depth; at += 1) value = at % 2 === 0 ? [value] : { a: value }
  return value
}

/** Any code units, among them unpaired surrogates. */
export const text = (random: Random, longest: number): string =>
  Array.from({ length: Math.floor(random() * longest) }, () =>
    String.fromCharCode(Math.floor(random() * (random() < 0.7 ? 128 : 65_536))),
  ).join('')

/** A value with one changed member. */
const mutated = (random: Random, value: unknown): unknown => {
  const isInside = typeof value === 'object' && value !== null && random() < 0.9
  if (!isInside) return pick(random, strangeValues)(random)
  if (Array.isArray(value)) {
    const at = Math.floor(random() * value.length)
    return value.map((it, index) => (index === at ? mutated(random, it) : it))
  }
  const names = Object.keys(value)
  const name = random() < 0.1 ? pick(random, strangeTexts) : (pick(random, names) ?? 'x')
  const { [name]: before, ...others } = value as Record<string, unknown>
  return random() < 0.15 ? others : { ...others, [name]: mutated(random, before) }
}

/** The bytes of a text, some of them lost, doubled or changed. */
export const scrambled = (random: Random, whole: string): string => {
  let it = whole
  for (let times = Math.ceil(random() * 4); times > 0; times -= 1) {
    const at = Math.floor(random() * it.length)
    const other = pick(random, [
      '',
      it.slice(at, at + 20).repeat(2),
      text(random, 4),
      '\u0000',
      '{',
      '"',
    ])
    it = it.slice(0, at) + other + it.slice(at + Math.floor(random() * 8))
  }
  return it
}

/** These cause 5xx by design: misbehaviours, and limits on introspection by the API. */
const spared = ['control.misbehaviours.on', 'console.misbehaviours.on', 'control.limits.set']
const names = (Object.keys(routes) as RouteName[]).filter((name) => !spared.includes(name))

/** A generator of random requests that knows the ids of a tenant. */
export const garbageFor = async (world: Awaited<ReturnType<typeof openWorld>>, random: Random) => {
  const known = await Promise.all(
    names.map(async (name) => {
      const route: Route = routes[name]
      return {
        name,
        route,
        paths: pathsOf(route),
        credentials: await world.credentials(name, route),
        body: bodyOf(world, route),
      }
    }),
  )

  const pathFrom = (name: RouteName, template: string) => {
    if (random() < 0.03) return `/${text(random, 60)}`.replace(/[\s#?\\]/g, '/')
    return template.replace(/(?<=\/):(\w+)/g, (_, parameter: string) => {
      const isDangerous = parameter === 'tenant' && /delete|reset/.test(name)
      if (isDangerous || random() < 0.15)
        return encodeURIComponent(wellFormed(pick(random, strangeTexts)))
      return encodeURIComponent(world.known[parameter] ?? parameter)
    })
  }

  const searchOf = (route: Route) => {
    if (random() < 0.5) return ''
    const fields = Object.keys((route.query as { shape?: object } | undefined)?.shape ?? {})
    const search = new URLSearchParams()
    for (let count = Math.ceil(random() * 4); count > 0; count -= 1) {
      const name = random() < 0.7 ? (pick(random, fields) ?? 'x') : text(random, 10)
      if (name === 'wait') continue
      search.append(
        name,
        random() < 0.3
          ? String(pick(random, Object.values(world.inBodies)))
          : pick(random, strangeTexts),
      )
    }
    return random() < 0.1
      ? scrambled(random, search.toString()).replace(/[#\s]/g, '')
      : search.toString()
  }

  const headersOf = (credentials: Record<string, string>, route: Route) => {
    const headers: Record<string, string> = random() < 0.85 ? { ...credentials } : {}
    headers['content-type'] =
      random() < 0.9
        ? route.form
          ? 'application/x-www-form-urlencoded'
          : 'application/json'
        : latin(
            pick(random, [
              'text/plain',
              'application/json; charset=utf-7',
              'multipart/form-data',
              ...strangeTexts,
            ]),
          )
    for (let count = Math.floor(random() * 3); count > 0; count -= 1) {
      const name = pick(random, [
        'authorization',
        'accept',
        'cookie',
        'origin',
        'host',
        'x-request-id',
        'x-api-key',
        'dpop',
        'last-event-id',
        'x-csrf-token',
        'content-encoding',
        'if-match',
      ])
      const value = latin(pick(random, strangeTexts))
      headers[name] =
        name === 'authorization' && random() < 0.7
          ? `${pick(random, ['Bearer', 'Basic', 'DPoP', 'bearer', ''])} ${value}`
          : value
    }
    return headers
  }

  return (): Garbage => {
    const { name, route, paths, credentials, body } = pick(random, known)
    const sent =
      random() < 0.7
        ? mutated(random, body)
        : random() < 0.5
          ? body
          : pick(random, strangeValues)(random)
    const written = route.form ? formOf(sent) : (JSON.stringify(sent) ?? '')
    const method =
      random() < 0.95
        ? route.method
        : pick(random, ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])
    const hasBody = method !== 'GET' && method !== 'HEAD'
    return {
      route,
      method,
      path: pathFrom(name, pick(random, paths)),
      search: searchOf(route),
      headers: headersOf(credentials, route),
      ...(hasBody ? { body: random() < 0.15 ? scrambled(random, written) : written } : {}),
    }
  }
}

const wellFormed = (it: string) => it.toWellFormed()

/** Characters that a header field may hold at all. */
const latin = (it: string) =>
  it
    .replace(/[^\t -~\u0080-\u00ff]/g, '')
    .trim()
    .slice(0, 3000)

const formOf = (value: unknown): string => {
  const fields =
    typeof value === 'object' && value !== null ? Object.entries(value) : [['x', value]]
  return new URLSearchParams(
    fields.map(([name, it]): [string, string] => [
      String(name).toWellFormed(),
      (typeof it === 'string' ? it : (JSON.stringify(it) ?? '')).toWellFormed(),
    ]),
  ).toString()
}

const bodyOf = (world: { inBodies: Record<string, unknown> }, route: Route): unknown => {
  const schema = route.form ?? route.body
  if (schema === undefined) return {}
  const { $defs = {}, ...described } = jsonSchema(schema, 'input')
  return sample({ ...document.components, schemas: $defs }, described, schema, world.inBodies)
}
