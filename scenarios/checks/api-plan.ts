import type { AuthorizationDetail } from '../../server/wire/index.ts'
import { type Loaded, type Problem, readScenario } from '../language/load.ts'
import type { SkipReason } from '../language/target.ts'
import type { ApiRoute, TargetFile } from '../targets/real/target-file.ts'

type Api = TargetFile['api']

/** A scenario of the API suite with placeholders for a route. */
export type Template = Readonly<{ file: string; text: string }>

export type Planned = Readonly<{
  scenarios: readonly Loaded[]
  problems: readonly Problem[]
  /** Why scenarios cannot run for their route, by title. */
  reasons: ReadonlyMap<string, SkipReason>
}>

/** Fills every scenario for every route of an API. */
export const planScenarios = (
  templates: readonly Template[],
  api: Api,
  { issuer, allowWrites }: { issuer: string; allowWrites: boolean },
): Planned => {
  const reasons = new Map<string, SkipReason>()
  const problems: Problem[] = []
  const scenarios = (api.routes ?? []).flatMap((route) => {
    const words = wordsFor(route, api, issuer)
    return templates.flatMap(({ file, text }) => {
      const lacking: string[] = []
      const filled = text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
        const word = words[name]
        if (word === undefined) throw new Error(`${file}: no {{${name}}}`)
        if (typeof word !== 'string') lacking.push(word.lacks)
        return typeof word === 'string' ? word : word.instead
      })
      const read = readScenario(file, filled)
      problems.push(...read.problems.filter((it) => it.severity === 'error'))
      const { scenario } = read
      if (scenario === undefined) return []
      const reason = lacking[0] ?? skipReasonOf(scenario, route, api, allowWrites)
      if (reason !== undefined) reasons.set(scenario.title, reason)
      return [{ ...scenario, theme: `${route.request}` }]
    })
  })
  return { scenarios, problems, reasons }
}

const skipReasonOf = (
  { file }: Loaded,
  { request }: ApiRoute,
  { challenge, revocation }: Api,
  allowWrites: boolean,
): SkipReason | undefined => {
  const name = file.split('/').at(-1)
  if (!request.startsWith('GET ') && !allowWrites)
    return {
      reason: `${request} writes, which needs --allow-writes`,
      group: 'needs --allow-writes',
    }
  if (challenge !== 'lumo' && name === 'challenge-decodes.yaml')
    return `the API uses challenge format ${challenge}, without LumoAuth’s header`
  if (revocation === 'expiry' && (name === 'revoked.yaml' || name === 'completed-task.yaml'))
    return 'the API accepts a token until exp (revocation: expiry)'
  return undefined
}

type Word = string | Readonly<{ lacks: string; instead: string }>

const wordsFor = (
  { request, json, requires, foreign }: ApiRoute,
  { challenge }: Api,
  issuer: string,
): Readonly<Record<string, Word>> => {
  const [method, path = '/'] = request.split(' ')
  const call = (line: string, headers?: object) =>
    JSON.stringify({
      request: line,
      ...(json === undefined ? {} : { json }),
      ...(headers && { headers }),
    })
  const { actions = [], identifier } = requires
  const detail = (changed: Partial<AuthorizationDetail>) =>
    JSON.stringify({ ...requires, ...changed })
  const withActions = (changed: Partial<AuthorizationDetail>): Word =>
    actions.length === 0
      ? { lacks: 'the route requires no actions', instead: detail({}) }
      : detail(changed)
  const query = path.includes('?') ? '&' : '?'
  return {
    route: `${method} ${path}`.slice(0, 50).replaceAll(/["\\]/g, ''),
    call: call(request),
    // Variables of the steps, filled when they run.
    call_with_lower_case_bearer: call(request, { authorization: 'bearer \u0024{good}' }),
    call_with_token_in_query: call(`${request}${query}access_token=\u0024{good}`),
    foreign_call:
      foreign === undefined
        ? { lacks: 'the route has no other resource (foreign: /path)', instead: call(request) }
        : call(`${method} ${foreign}`),
    refused: challenge === 'wg-00' ? '401' : '403',
    issuer,
    requires: JSON.stringify(requires),
    wider: withActions({ actions: [...actions, 'annotate'] }),
    other_identifier:
      identifier === undefined
        ? { lacks: 'the route requires no identifier', instead: detail({}) }
        : detail({ identifier: `${identifier}-other` }),
    other_action: withActions({ actions: ['annotate'] }),
    other_type: detail({ type: 'tool_invocation' }),
    other_case: withActions({ actions: actions.map((it) => otherCase(it)) }),
    no_actions: withActions({ actions: [] }),
    other_place: detail({ locations: ['https://elsewhere.example'] }),
  }
}

const otherCase = (text: string) =>
  text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase()
