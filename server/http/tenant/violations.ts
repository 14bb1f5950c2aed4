import { type Route, type RouteName, routes } from '../../wire/index.ts'
import { problems } from '../problems.ts'

/** Where an answer violates the wire schema of its route; empty for a valid answer. */
export const violationsOf = (name: RouteName, status: number, body: unknown): string[] => {
  const { answers }: Route = routes[name]
  if (status >= 400) return []
  const schema = answers[status]
  if (schema === undefined) return [`unexpected status ${status} for ${name}`]
  if (schema === null) return []
  const parsed = schema.safeParse(body)
  return parsed.success ? [] : problems(parsed.error)
}
