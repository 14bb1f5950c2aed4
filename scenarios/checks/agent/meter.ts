import type { AuthorizationDetail } from '../../../server/wire/index.ts'
import { type AgentTrace, callOf } from './trace.ts'

/** Least privilege in numbers: permissions requested, granted and used. */
export type Meter = Readonly<{
  requested: number
  granted: number
  used: number
  /** Total lifetime of the tokens, and total time from issue to last use, in seconds. */
  tokenSeconds: number
  usedSeconds: number
}>

/** A permission is one action on one identifier. */
export const meterOf = ({ entries, challenges, asks, grants }: AgentTrace): Meter => {
  const named = new Map(challenges.map(({ call, detail }) => [call, detail]))
  const readings = grants.map(({ token, entry, details, lifetime }) => {
    const uses = entries.filter(
      (it) => it.bearer === token && it.answer.status < 300 && it.seat === 'api',
    )
    const needed = new Set(
      uses.flatMap((use) => {
        const detail = named.get(callOf(use))
        return detail === undefined
          ? permissionsOf(details[0], verbs[use.request.method])
          : permissionsOf(detail)
      }),
    )
    const last = uses.at(-1)
    return {
      used: details.flatMap((it) => permissionsOf(it)).filter((it) => needed.has(it)).length,
      usedSeconds: last === undefined ? 0 : (last.answeredAt - entry.answeredAt) / 1000,
      tokenSeconds: lifetime,
    }
  })
  return {
    requested: asks.flatMap(({ detail }) => permissionsOf(detail)).length,
    granted: grants.flatMap(({ details }) => details.flatMap((it) => permissionsOf(it))).length,
    used: sum(readings.map((it) => it.used)),
    tokenSeconds: sum(readings.map((it) => it.tokenSeconds)),
    usedSeconds: sum(readings.map((it) => it.usedSeconds)),
  }
}

export const totalOf = (meters: readonly Meter[]): Meter => ({
  requested: sum(meters.map((it) => it.requested)),
  granted: sum(meters.map((it) => it.granted)),
  used: sum(meters.map((it) => it.used)),
  tokenSeconds: sum(meters.map((it) => it.tokenSeconds)),
  usedSeconds: sum(meters.map((it) => it.usedSeconds)),
})

export const meterText = ({ requested, granted, used, tokenSeconds, usedSeconds }: Meter): string =>
  `least privilege: ${requested} permissions requested, ${granted} granted, ${used} used; ${tokenSeconds} token-seconds granted, ${usedSeconds.toFixed(1)} from getting a token to its last use`

const permissionsOf = (detail: AuthorizationDetail | undefined, only?: string): string[] =>
  detail === undefined
    ? []
    : (detail.actions?.length ? detail.actions : ['*'])
        .filter((action) => only === undefined || action === only)
        .map((action) => `${detail.type} ${action} ${detail.identifier ?? '*'}`)

const verbs: Readonly<Record<string, string>> = {
  GET: 'read',
  POST: 'write',
  PUT: 'write',
  PATCH: 'write',
  DELETE: 'delete',
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, it) => total + it, 0)
