import { pathsOf, type Route, type Seat } from './route.ts'
import { type RouteName, routes } from './routes.ts'

export type Found<N extends RouteName> =
  | Readonly<{ name: N; params: Readonly<Record<string, string>> }>
  /** The path is known, but not with this method. */
  | Readonly<{ allow: readonly string[] }>

type Node<N> = {
  literals: Map<string, Node<N>>
  parameter?: Node<N>
  methods: Map<string, { name: N; names: readonly string[] }>
}

/**
 * Finds the route of a method and a path in time that grows with the path only.
 * @returns a function that gives undefined for an unknown path, and throws `URIError` for one that
 *   is not percent-encoded UTF-8
 */
export const createRouter = <N extends RouteName>(names: readonly N[]) => {
  const root: Node<N> = { literals: new Map(), methods: new Map() }
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

/** HEAD is answered wherever GET is. */
const methodsOf = <N>({ methods }: Node<N>): string[] =>
  [...methods.keys()].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))

/** The route of a request to a seat, if it is of the contract. HEAD is no route of its own. */
export const findRoute = (seat: Seat, method: string, path: string): RouteName | undefined => {
  try {
    const found = method === 'HEAD' ? undefined : routerOf(seat)(method, path)
    return found !== undefined && 'name' in found ? found.name : undefined
  } catch (error) {
    // A path that is not percent-encoded UTF-8 is of no route.
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

/** Some clients join a base URL with a trailing slash and a path: leading slashes are collapsed (contract §1.1). */
const segmentsOf = (path: string) => path.replace(/^\/+/, '').split('/')

const add = <N>(root: Node<N>, method: string, path: string, name: N) => {
  let node = root
  const names: string[] = []
  for (const segment of segmentsOf(path)) {
    if (segment.startsWith(':')) {
      names.push(segment.slice(1))
      node.parameter ??= { literals: new Map(), methods: new Map() }
      node = node.parameter
    } else {
      const next = node.literals.get(segment) ?? { literals: new Map(), methods: new Map() }
      node.literals.set(segment, next)
      node = next
    }
  }
  if (node.methods.has(method)) throw new Error(`two routes for ${method} ${path}`)
  node.methods.set(method, { name, names })
}

/** Literal segments win over parameters; where one leads nowhere, the other is tried. */
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
  if (node.parameter === undefined || segment === '') return undefined
  const depth = values.length
  values.push(segment)
  const byParameter = walk(node.parameter, segments, at + 1, values)
  if (byParameter === undefined) values.length = depth
  return byParameter
}
