import { type Route, type RouteName, routes } from '../../wire/index.ts'
import { problems } from '../problems.ts'

/** Where an answer breaks the wire schema of its route: empty for one that keeps to it. */
export const violationsOf = (name: RouteName, status: number, body: unknown): string[] => {
  const { answers }: Route = routes[name]
  if (status >= 400) return []
  const schema = answers[status]
  if (schema === undefined) return [`${name} never answers ${status}`]
  if (schema === null) return []
  const parsed = schema.safeParse(body)
  return parsed.success ? [] : problems(parsed.error)
}
