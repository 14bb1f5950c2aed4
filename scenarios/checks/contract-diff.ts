import { z } from 'zod'
import { type Route, type RouteName, routes } from '../../server/wire/index.ts'
import { findRoute } from '../../server/wire/routes/router.ts'
import type { Word } from '../language/actions.ts'
import type { Loaded } from '../language/load.ts'
import { isObject } from '../language/match.ts'
import { allSteps } from '../language/steps.ts'

/** The part of OpenAPI 3 that is compared. */
export type Document = Readonly<{
  openapi: string
  paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  components?: unknown
}>

export type Difference = Readonly<{
  kind: 'differs' | 'only here' | 'only there'
  route: RouteName | undefined
  /** Method and path, below the base. */
  at: string
  says: string
}>

/** The differences between a document and the contract of the issuer. */
export const differencesFrom = (document: Document): readonly Difference[] => {
  const theirs = operationsOf(document)
  const ours = (Object.entries(routes) as [RouteName, Route][]).filter(
    ([, it]) => it.seat === 'issuer',
  )
  const found = ours.flatMap(([name, route]): Difference[] => {
    const at = `${route.method} ${shape(route.path)}`
    const operation = theirs.get(at)
    if (operation === undefined)
      return [{ kind: 'only here', route: name, at, says: 'is not in the document' }]
    return [...bodies(name, route, operation, document), ...statuses(route, operation)].map(
      (says) => ({ kind: 'differs', route: name, at, says }),
    )
  })
  const known = new Set(ours.map(([, route]) => `${route.method} ${shape(route.path)}`))
  const more = [...theirs.keys()]
    .filter((at) => !known.has(at))
    .map(
      (at): Difference => ({
        kind: 'only there',
        route: undefined,
        at,
        says: 'is not in the contract',
      }),
    )
  return [
    ...found.filter((it) => it.kind === 'differs'),
    ...found.filter((it) => it.kind !== 'differs'),
    ...more,
  ]
}

/** Titles of the scenarios that use a route. */
export const findScenariosOf = (
  route: RouteName | undefined,
  scenarios: readonly Loaded[],
): string[] =>
  route === undefined
    ? []
    : scenarios
        .filter(({ steps }) =>
          allSteps(steps, ['steps']).some(({ step, word }) =>
            word === 'http' ? routeOfHttp(step.http) === route : routeOfWord[word] === route,
          ),
        )
        .map(({ title }) => title)

type Operation = Readonly<Record<string, unknown>>

/** The key of a route: method and path below the base, without parameter names. */
const operationsOf = ({ paths }: Document): ReadonlyMap<string, Operation> =>
  new Map(
    Object.entries(paths).flatMap(([path, item]) =>
      methods.flatMap((method): [string, Operation][] => {
        const operation = item[method.toLowerCase()]
        return isObject(operation) ? [[`${method} ${shape(path)}`, operation]] : []
      }),
    ),
  )

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

const shape = (path: string): string =>
  path
    .replace(/^\/(?:t|orgs)\/[^/]+\/api\/v1/, '')
    .replace(/^\/api\/v1/, '')
    .replaceAll(/\{[^{}]+\}|:\w+/g, '{}')

const bodies = (
  name: RouteName,
  route: Route,
  operation: Operation,
  document: Document,
): string[] => {
  const schema = route.body ?? route.form
  const theirs = schemaOf(operation, document)
  if (schema === undefined || theirs === undefined) return []
  const own = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const ours = membersOf(own, own)
  const others = membersOf(theirs, document)
  if (ours.known.size === 0 || others.known.size === 0) return []
  const said = (list: string[], says: string) =>
    list.length === 0 ? [] : [`${says} ${list.join(', ')}`]
  return [
    ...said(
      [...others.known].filter((it) => !ours.known.has(it)),
      'the document also has',
    ),
    ...said(
      [...ours.known].filter((it) => !others.known.has(it)),
      'only the contract has',
    ),
    ...said(
      [...others.required].filter((it) => ours.known.has(it) && !ours.required.has(it)),
      'the document requires',
    ),
    ...said(
      [...ours.required].filter((it) => others.known.has(it) && !others.required.has(it)),
      'only the contract requires',
    ),
  ].map((it) => `in the body of ${name}, ${it}`)
}

const statuses = (route: Route, { responses }: Operation): string[] => {
  if (!isObject(responses)) return []
  const theirs = Object.keys(responses).filter((it) => /^2\d\d$/.test(it))
  const ours = Object.keys(route.answers).filter((it) => it.startsWith('2'))
  if (theirs.length === 0 || theirs.some((it) => ours.includes(it))) return []
  return [`succeeds with ${theirs.join(' or ')}, in the contract with ${ours.join(' or ')}`]
}

const schemaOf = (
  { requestBody }: Operation,
  document: Document,
): Record<string, unknown> | undefined => {
  const body = resolveReference(requestBody, document)
  const content = isObject(body) ? body.content : undefined
  if (!isObject(content)) return undefined
  const [media] = Object.values(content)
  const schema = resolveReference(isObject(media) ? media.schema : undefined, document)
  return isObject(schema) ? { ...schema } : undefined
}

const resolveReference = (value: unknown, document: unknown): unknown => {
  const reference = isObject(value) ? value.$ref : undefined
  if (typeof reference !== 'string' || !reference.startsWith('#/')) return value
  const target = reference
    .slice(2)
    .split('/')
    .reduce<unknown>((it, key) => (isObject(it) ? it[key] : undefined), document)
  return target === undefined ? value : resolveReference(target, document)
}

/**
 * Members of an object, or of all its variants; `required` lists those that every variant requires.
 */
const membersOf = (
  given: unknown,
  root: unknown,
): Readonly<{ known: ReadonlySet<string>; required: ReadonlySet<string> }> => {
  const found = resolveReference(given, root)
  const schema: Readonly<Record<string, unknown>> = isObject(found) ? found : {}
  const forms = [schema.anyOf, schema.oneOf, schema.allOf]
    .flat()
    .filter(isObject)
    .map((it) => membersOf(it, root))
  const [first, ...others] = forms
  return {
    known: new Set([
      ...Object.keys(isObject(schema.properties) ? schema.properties : {}),
      ...forms.flatMap((it) => [...it.known]),
    ]),
    required: new Set([
      ...(Array.isArray(schema.required) ? schema.required.map(String) : []),
      ...[...(first?.required ?? [])].filter((it) => others.every((form) => form.required.has(it))),
    ]),
  }
}

const routeOfHttp = (args: unknown): RouteName | undefined => {
  const { request = '', seat = 'issuer' } = isObject(args) ? (args as Record<string, string>) : {}
  const [method = '', path = ''] = request.split(' ')
  return seat === 'issuer'
    ? findRoute('issuer', method, `/t/x/api/v1${path.split('?')[0]}`)
    : undefined
}

/** The route that each action calls. */
const routeOfWord: Partial<Record<Word, RouteName>> = {
  authenticate: 'oauth.token',
  exchange_token: 'oauth.token',
  introspect: 'oauth.introspect',
  revoke: 'oauth.revoke',
  userinfo: 'oauth.userinfo',
  open_task: 'jit.task.create',
  request_permission: 'jit.request',
  request_status: 'jit.request.status',
  wait_for_decision: 'jit.request.status',
  get_token: 'jit.request.token',
  complete_task: 'jit.task.complete',
  evaluate_task: 'jit.task.evaluate',
  list_pending: 'jit.pending',
  approve: 'jit.approve',
  deny: 'jit.deny',
}
