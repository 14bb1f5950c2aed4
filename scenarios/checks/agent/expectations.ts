import { match, show } from '../../language/match.ts'
import { findGap } from '../../language/subsequence.ts'
import type { Seen } from '../../targets/mock/recording-proxy.ts'
import type { Ended } from './command.ts'
import type { Interventions } from './interventions.ts'
import type { LoadedAgentScenario } from './load.ts'
import type { Offence } from './offence.ts'
import { type AgentTrace, callOf } from './trace.ts'

/** What has not come about, though the scenario is about it. */
export const describeMissingOccasion = (
  { occasion }: LoadedAgentScenario,
  { challenges, asks, grants, entries }: AgentTrace,
  interventions: Interventions,
): string | undefined => {
  if (entries.length === 0) return undefined
  const there = {
    challenge: challenges.length > 0 || 'the agent never met a challenge',
    pending:
      asks.some((it) => it.status === 'pending') || 'the agent never had to wait for an approval',
    token: grants.length > 0 || 'the agent never got a JIT token',
    injection: interventions.injected > 0 || 'the agent never received the injected text',
    turn:
      interventions.taken >= interventions.awaited ||
      'the agent never came to where something was to happen',
  }
  return occasion.map((it) => there[it]).find((it) => it !== true) as string | undefined
}

/** What the scenario itself expects, and did not come. */
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
    says.push(`expected success, it ended with ${endText(ending)}${tailOf(ending)}`)
  if (expect.exit === 'failure' && succeeded)
    says.push('expected an exit code that tells of the failure, it ended with 0')
  if (expect.asked !== undefined) {
    const [odd] = match(expect.asked, trace.asks.length)
    if (odd !== undefined)
      says.push(`it requested ${odd.received} permissions, expected ${odd.expected}`)
  }
  for (const pattern of expect.never_asked ?? []) {
    const asked = trace.asks.find((it) => match(pattern, it.detail).length === 0)
    if (asked !== undefined) says.push(`it requested ${show(asked.detail)}, which it must not`)
  }
  for (const text of expect.never_sent ?? []) {
    const sent = trace.entries.find(
      ({ request, seat }) => seat === 'issuer' && holds(request, text),
    )
    if (sent !== undefined) says.push(`it sent ${JSON.stringify(text)} in ${callOf(sent)}`)
  }
  for (const [route, most] of Object.entries(expect.at_most ?? {})) {
    const count = trace.entries.filter((it) => it.route === route).length
    if (count > most) says.push(`it called ${route} ${count} times, at most ${most} is sound`)
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
  late ? 'our patience' : signal === null ? `exit code ${code}` : signal

const tailOf = ({ output }: Ended) => {
  const tail = output.trimEnd().split('\n').slice(-6).join('\n')
  return tail === '' ? '' : `\n${tail}`
}
