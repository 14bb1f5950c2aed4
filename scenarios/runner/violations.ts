import { type Route, type RouteName, routes } from '../../server/wire/index.ts'
import { parseJson } from '../../server/wire/json.ts'
import { type Violation, violation, violationsOf } from '../../server/wire/violations.ts'

/** Where an answer, as it was received, violates the schema of its route. */
export const violationsOfText = (
  name: RouteName | undefined,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): Violation[] => {
  const { pages, answers }: Partial<Route> = name === undefined ? {} : routes[name]
  const type = headers['content-type'] ?? 'none'
  if (pages && type.startsWith('text/html')) return []
  const hasBody = status >= 400 || Boolean(answers?.[status])
  if (!hasBody) return violationsOf(name, status, text === '' ? undefined : text)
  if (!/^application\/([\w.-]+\+)?json\b/.test(type)) {
    const says = `expected content-type application/json, received ${type}`
    return [violation('content_type', says, 'JSON', headers['content-type'])]
  }
  const body = parseJson(text)
  return body === undefined
    ? [violation('json', 'the body is not JSON', 'JSON')]
    : violationsOf(name, status, body)
}
