import { pathsOf, type Route, type Seat } from './route.ts'
import { type RouteName, routes } from './routes.ts'

export type Found<N extends RouteName> =
  | Readonly<{ name: N; params: Readonly<Record<string, string>> }>
  /** The path exists, but not with this method. */
  | Readonly<{ allow: readonly string[] }>

type Node<N> = {
  literals: Map<string, Node<N>>
  parameter?: Node<N>
  /** By the literal end of a segment `:name:verb`, which begins with its last colon. */
  verbs: Map<string, Node<N>>
  methods: Map<string, { name: N; names: readonly string[] }>
}

/**
 * Finds the route of a method and a path in time linear in the path.
 * @returns a function that returns undefined for an unknown path and throws `URIError` for a path that
 * is not percent-encoded UTF-8
 */
export const createRouter = <N extends RouteName>(names: readonly N[]) => {
  const root = emptyNode<N>()
  for (const name of names) {
    const route: Route = routes[name]
    for (const path of pathsOf(route)) add(root, route.method, path, name)
  }
  return (method: string, path: string): Found<N> | undefined => {
    const values: string[] = []
    const node = walk(root, segmentsOf(path), 0, values)
    if (node === undefined) return undefined
    const found = node.methods.get(method) ?? (method === 'HEAD' && node.methods.get('GET'))
    if (!found) return { allow: methodsOf(node) }
    const params = found.names.map((name, at) => [name, decodeURIComponent(values[at] ?? '')])
    return { name: found.name, params: Object.fromEntries(params) }
  }
}

/** HEAD is answered on every route with GET. */
const methodsOf = <N>({ methods }: Node<N>): string[] =>
  [...methods.keys()].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))

/** The route of a request to a seat, if the contract has one. HEAD has no route of its own. */
export const findRoute = (seat: Seat, method: string, path: string): RouteName | undefined => {
  try {
    const found = method === 'HEAD' ? undefined : routerOf(seat)(method, path)
    return found !== undefined && 'name' in found ? found.name : undefined
  } catch (error) {
    // A path that is not percent-encoded UTF-8 has no route.
    if (error instanceof URIError) return undefined
    throw error
  }
}

const routers = new Map<Seat, ReturnType<typeof createRouter<RouteName>>>()

const routerOf = (seat: Seat) => {
  const names = Object.keys(routes) as RouteName[]
  const router = routers.get(seat) ?? createRouter(names.filter((it) => routes[it].seat === seat))
  routers.set(seat, router)
  return router
}

/**
 * Collapses leading slashes: some clients join a base URL with a trailing slash and a path (contract
 * §1.1).
 */
const segmentsOf = (path: string) => path.replace(/^\/+/, '').split('/')

const emptyNode = <N>(): Node<N> => ({
  literals: new Map(),
  verbs: new Map(),
  methods: new Map(),
})

const add = <N>(root: Node<N>, method: string, path: string, name: N) => {
  let node = root
  const names: string[] = []
  for (const segment of segmentsOf(path)) {
    const [, parameter, verb] = /^:(\w+)(:\w+)?$/.exec(segment) ?? []
    if (parameter !== undefined) names.push(parameter)
    if (parameter !== undefined && verb === undefined) {
      node.parameter ??= emptyNode()
      node = node.parameter
    } else {
      const among: Map<string, Node<N>> = verb === undefined ? node.literals : node.verbs
      const next = among.get(verb ?? segment) ?? emptyNode<N>()
      among.set(verb ?? segment, next)
      node = next
    }
  }
  if (node.methods.has(method)) throw new Error(`two routes for ${method} ${path}`)
  node.methods.set(method, { name, names })
}

/**
 * Literal segments take precedence over parameters with a verb, and these over parameters; when one
 * leads to no route, the next is tried.
 */
const walk = <N>(
  node: Node<N>,
  segments: readonly string[],
  at: number,
  values: string[],
): Node<N> | undefined => {
  const segment = segments[at]
  if (segment === undefined) return node.methods.size > 0 ? node : undefined
  const literal = node.literals.get(segment)
  const found = literal && walk(literal, segments, at + 1, values)
  if (found) return found
  const walkOn = (next: Node<N> | undefined, value: string): Node<N> | undefined => {
    if (next === undefined || value === '') return undefined
    const depth = values.length
    values.push(value)
    const end = walk(next, segments, at + 1, values)
    if (end === undefined) values.length = depth
    return end
  }
  const colon = segment.lastIndexOf(':')
  const byVerb = node.verbs.get(segment.slice(colon))
  return (
    (colon > 0 ? walkOn(byVerb, segment.slice(0, colon)) : undefined) ??
    walkOn(node.parameter, segment)
  )
}
