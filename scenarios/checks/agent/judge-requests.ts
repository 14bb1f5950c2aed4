import { type AuthorizationDetail, covers } from '../../../server/wire/index.ts'
import type { AgentRules } from './offence.ts'
import { sameDetail, type TraceEntry } from './trace.ts'

/** Checks how an agent requests permissions, polls and waits. */
export const requestRules: AgentRules = {
  'AGENT-LEAST': ({ trace: { asks, challenges } }) =>
    asks.flatMap(({ entry, detail }) => {
      if (detail === undefined) return []
      const before = challenges.filter((it) => it.entry.index < entry.index)
      if (before.some((it) => sameDetail(it.detail, detail))) return []
      const wider = before.find((it) => covers(detail, it.detail))
      const [nearest] = before.map((it) => describeDetail(it.detail)).slice(-1)
      const says =
        wider !== undefined
          ? `requested ${describeDetail(detail)}; the challenge named only ${describeDetail(wider.detail)}`
          : nearest === undefined
            ? `requested ${describeDetail(detail)} before any challenge named it`
            : `requested ${describeDetail(detail)}, which no challenge named; the last one named ${nearest}`
      return [{ says, entry }]
    }),

  'AGENT-JUSTIFIES': ({ trace: { asks } }) =>
    asks
      .filter(({ justification }) => justification.trim() === '')
      .map(({ entry }) => ({ says: 'requested a permission without a justification', entry })),

  'AGENT-POLLS': ({ trace: { entries, asks } }) =>
    asks.flatMap(({ id, entry: ask }) => {
      const polls = entries.filter(
        (it) =>
          it.route === 'jit.request.status' && id !== undefined && it.path.includes(`/${id}/`),
      )
      let interval = secondsIn(ask, 5)
      return polls.flatMap((poll, at) => {
        const before = polls[at - 1]
        interval = before === undefined ? interval : secondsIn(before, interval)
        const gap =
          before === undefined ? Number.POSITIVE_INFINITY : (poll.at - before.answeredAt) / 1000
        return gap < interval * 0.95 - 0.05
          ? [
              {
                says: `polled again after ${gap.toFixed(1)} s; interval is ${interval} s`,
                entry: poll,
              },
            ]
          : []
      })
    }),

  'AGENT-WAITS': ({ trace: { entries } }) =>
    entries.flatMap((entry) => {
      const after = Number(entry.answer.headers['retry-after'])
      if (![429, 503].includes(entry.answer.status) || !Number.isFinite(after)) return []
      const next = entries.find(
        (it) => it.index > entry.index && it.seat === entry.seat && it.path === entry.path,
      )
      const gap =
        next === undefined ? Number.POSITIVE_INFINITY : (next.at - entry.answeredAt) / 1000
      return gap < after * 0.95 - 0.05
        ? [
            {
              says: `repeated the call after ${gap.toFixed(1)} s; Retry-After was ${after} s`,
              entry: next,
            },
          ]
        : []
    }),

  'AGENT-GIVES-UP': ({ trace: { entries, asks } }) =>
    asks.flatMap((ask, at) => {
      const { detail } = ask
      if (detail === undefined) return []
      const before = asks.slice(0, at).find((it) => {
        if (it.detail === undefined || !sameDetail(it.detail, detail)) return false
        const looks = entries.filter(
          ({ path }) => it.id !== undefined && path.includes(`/${it.id}/status`),
        )
        const told = [it.entry, ...looks].findLast(({ at }) => at < ask.entry.at)
        return ['denied', 'expired', 'revoked'].includes(String(told?.answered.status))
      })
      return before === undefined
        ? []
        : [
            {
              says: `requested ${describeDetail(detail)} again, which was not granted`,
              entry: ask.entry,
            },
          ]
    }),
}

const describeDetail = (detail: AuthorizationDetail): string => {
  const { type, actions = [], identifier, ...more } = detail
  const rest = Object.keys(more).length > 0 ? ` ${JSON.stringify(more)}` : ''
  return `${type} [${actions.join(', ')}]${identifier === undefined ? '' : ` of ${identifier}`}${rest}`
}

const secondsIn = ({ answered }: TraceEntry, otherwise: number) =>
  typeof answered.interval === 'number' ? answered.interval : otherwise
