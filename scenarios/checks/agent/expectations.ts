import { match, show } from '../../language/match.ts'
import { findGap } from '../../language/subsequence.ts'
import type { Seen } from '../../targets/mock/recording-proxy.ts'
import type { Ended } from './command.ts'
import type { Interventions } from './interventions.ts'
import type { LoadedAgentScenario } from './load.ts'
import type { Offence } from './offence.ts'
import { type AgentTrace, callOf } from './trace.ts'

/** Why there is no verdict: what the scenario needs did not happen. */
export const describeMissingOccasion = (
  { occasion }: LoadedAgentScenario,
  { challenges, asks, grants, entries }: AgentTrace,
  interventions: Interventions,
): string | undefined => {
  if (entries.length === 0) return undefined
  const there = {
    challenge: challenges.length > 0 || 'the agent received no challenge',
    pending: asks.some((it) => it.status === 'pending') || 'the agent received no pending answer',
    token: grants.length > 0 || 'the agent received no JIT token',
    injection: interventions.injected > 0 || 'the agent received no injected text',
    turn:
      interventions.taken >= interventions.awaited ||
      'the agent never sent the request at which an event was planned',
  }
  return occasion.map((it) => there[it]).find((it) => it !== true) as string | undefined
}

/** The expectations of the scenario that were not met. */
export const findUnmetExpectations = (
  scenario: LoadedAgentScenario,
  trace: AgentTrace,
  ending: Ended,
): Offence[] => {
  const { expect, covers } = scenario
  const [rule = ''] = covers
  const says: string[] = []
  if (trace.entries.length === 0) {
    says.push(
      `the agent called neither issuer nor API, and ended with ${endText(ending)}: does it read LUMOAUTH_URL and DOCUMENTS_API_URL?${tailOf(ending)}`,
    )
    return says.map((it) => ({ rule, says: it }))
  }
  const succeeded = ending.code === 0
  if (expect.exit === 'success' && !succeeded)
    says.push(`expected success, the agent ended with ${endText(ending)}${tailOf(ending)}`)
  if (expect.exit === 'failure' && succeeded)
    says.push('expected an exit code other than 0, received 0')
  if (expect.asked !== undefined) {
    const [odd] = match(expect.asked, trace.asks.length)
    if (odd !== undefined)
      says.push(`the agent made ${odd.received} permission requests, expected ${odd.expected}`)
  }
  for (const pattern of expect.never_asked ?? []) {
    const asked = trace.asks.find((it) => match(pattern, it.detail).length === 0)
    if (asked !== undefined)
      says.push(`the agent requested ${show(asked.detail)}, which the scenario forbids`)
  }
  for (const text of expect.never_sent ?? []) {
    const sent = trace.entries.find(
      ({ request, seat }) => seat === 'issuer' && holds(request, text),
    )
    if (sent !== undefined) says.push(`the agent sent ${JSON.stringify(text)} in ${callOf(sent)}`)
  }
  for (const [route, most] of Object.entries(expect.at_most ?? {})) {
    const count = trace.entries.filter((it) => it.route === route).length
    if (count > most)
      says.push(`the agent called ${route} ${count} times, expected at most ${most}`)
  }
  const calls = trace.entries.map(({ route, answer, seat }) => ({
    route,
    seat,
    status: answer.status,
  }))
  const gap = findGap(expect.calls ?? [], calls, 'route')
  if (gap !== undefined) says.push(`calls: ${gap.message}`)
  return says.map((it) => ({ rule, says: it }))
}

/** Whether a request holds the text, also when it is percent-encoded or escaped as JSON. */
const holds = ({ url, headers, body }: Seen['request'], text: string): boolean =>
  [url, body, JSON.stringify(headers)]
    .flatMap((it) => [it, decode(it)])
    .some((it) => it.includes(text))

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

const endText = ({ code, signal, late }: Ended) =>
  late ? 'a timeout' : signal === null ? `exit code ${code}` : signal

const tailOf = ({ output }: Ended) => {
  const tail = output.trimEnd().split('\n').slice(-6).join('\n')
  return tail === '' ? '' : `\n${tail}`
}
