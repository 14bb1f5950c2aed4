import { type AuthorizationDetail, covers } from '../../../server/wire/index.ts'
import type { AgentRules } from './offence.ts'
import { sameDetail, type TraceEntry } from './trace.ts'

/** How an agent requests permissions and waits for answers. */
export const requestRules: AgentRules = {
  'AGENT-LEAST': ({ story: { asks, challenges } }) =>
    asks.flatMap(({ scene, detail }) => {
      if (detail === undefined) return []
      const before = challenges.filter((it) => it.scene.index < scene.index)
      if (before.some((it) => sameDetail(it.detail, detail))) return []
      const wider = before.find((it) => covers(detail, it.detail))
      const [nearest] = before.map((it) => describeDetail(it.detail)).slice(-1)
      const says =
        wider !== undefined
          ? `asked for ${describeDetail(detail)}, where the challenge named only ${describeDetail(wider.detail)}`
          : nearest === undefined
            ? `asked for ${describeDetail(detail)} before any challenge had named it`
            : `asked for ${describeDetail(detail)}, which no challenge had named; the last named ${nearest}`
      return [{ says, scene }]
    }),

  'AGENT-JUSTIFIES': ({ story: { asks } }) =>
    asks
      .filter(({ justification }) => justification.trim() === '')
      .map(({ scene }) => ({ says: 'asked for a permission without a justification', scene })),

  'AGENT-POLLS': ({ story: { scenes, asks } }) =>
    asks.flatMap(({ id, scene: ask }) => {
      const polls = scenes.filter(
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
                says: `looked again after ${gap.toFixed(1)} s, where the interval is ${interval} s`,
                scene: poll,
              },
            ]
          : []
      })
    }),

  'AGENT-WAITS': ({ story: { scenes } }) =>
    scenes.flatMap((scene) => {
      const after = Number(scene.answer.headers['retry-after'])
      if (![429, 503].includes(scene.answer.status) || !Number.isFinite(after)) return []
      const next = scenes.find(
        (it) => it.index > scene.index && it.seat === scene.seat && it.path === scene.path,
      )
      const gap =
        next === undefined ? Number.POSITIVE_INFINITY : (next.at - scene.answeredAt) / 1000
      return gap < after * 0.95 - 0.05
        ? [
            {
              says: `came back after ${gap.toFixed(1)} s, where Retry-After said ${after} s`,
              scene: next,
            },
          ]
        : []
    }),

  'AGENT-GIVES-UP': ({ story: { scenes, asks } }) =>
    asks.flatMap((ask, at) => {
      const { detail } = ask
      if (detail === undefined) return []
      const before = asks.slice(0, at).find((it) => {
        if (it.detail === undefined || !sameDetail(it.detail, detail)) return false
        const looks = scenes.filter(
          ({ path }) => it.id !== undefined && path.includes(`/${it.id}/status`),
        )
        const told = [it.scene, ...looks].findLast(({ at }) => at < ask.scene.at)
        return ['denied', 'expired', 'revoked'].includes(String(told?.answered.status))
      })
      return before === undefined
        ? []
        : [
            {
              says: `asked once more for ${describeDetail(detail)}, which had not been granted`,
              scene: ask.scene,
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
