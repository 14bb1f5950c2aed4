import { covers } from '../../../server/wire/index.ts'
import type { AgentRules } from './offence.ts'
import { type AgentTrace, callOf, type TraceEntry } from './trace.ts'

/** Which token an agent sends where, and when it sends one again. */
export const tokenRules: AgentRules = {
  'AGENT-RETRIES-ONCE': ({ story }) => {
    const { challenges, grants } = story
    const jit = new Set(grants.map((it) => it.token))
    const refused = Map.groupBy(
      challenges.filter((it, at) => challenges.findIndex((its) => its.scene === it.scene) === at),
      ({ call }) => call,
    )
    return [...refused].flatMap(([call, list]) => {
      const narrow = list.filter(({ scene }) => jit.has(scene.bearer ?? ''))
      const plain = list.filter(({ scene }) => !jit.has(scene.bearer ?? ''))
      const again = plain.filter(
        ({ scene }, at) => at > 0 && !areConcurrent(plain[0]?.scene, scene),
      )
      return [
        ...narrow.slice(1).map(({ scene }) => ({
          says: `called ${call} once more after its retry had been refused: a second 403 is the answer`,
          scene,
        })),
        ...again.map(({ scene }) => ({
          says: `repeated ${call} with a token that had just been refused there`,
          scene,
        })),
      ]
    })
  },

  'AGENT-ORIGIN': ({ story, secret }) => {
    const tokens = [...story.wide, ...story.grants.map((it) => it.token), secret]
    return story.scenes
      .filter(({ seat }) => seat === 'elsewhere')
      .flatMap((scene) => {
        const { url, headers, body } = scene.request
        const text = JSON.stringify([url, headers, body])
        const leaked = tokens.find((it) => text.includes(it))
        if (leaked === undefined) return []
        const what =
          leaked === secret
            ? 'its secret'
            : story.wide.has(leaked)
              ? 'its own wide token'
              : 'its JIT token'
        return [{ says: `sent ${what} to another origin, ${new URL(url).origin}`, scene }]
      })
  },

  'AGENT-NARROW': ({ story }) =>
    story.scenes.flatMap((scene) => {
      if (scene.seat !== 'api' || scene.bearer === undefined || !story.wide.has(scene.bearer))
        return []
      const call = callOf(scene)
      const named = story.challenges.filter(
        (it) => it.call === call && it.scene.index < scene.index,
      )
      const due = story.grants.find(
        (grant) =>
          grant.scene.answeredAt < scene.at &&
          scene.at < grant.scene.answeredAt + grant.lifetime * 1000 &&
          named.some(({ detail }) => grant.details.some((it) => covers(it, detail))),
      )
      return due === undefined || isRefused(due.token, scene, story)
        ? []
        : [{ says: `used its wide token for ${call}, where it had a narrow one`, scene }]
    }),

  'AGENT-FORGETS': ({ story: { scenes } }) =>
    scenes.flatMap((scene) => {
      if (scene.bearer === undefined || scene.answer.status !== 401) return []
      if (!/invalid_token/.test(JSON.stringify(scene.answer))) return []
      const again = scenes.find(
        (it) => it.seat === scene.seat && it.bearer === scene.bearer && it.at > scene.answeredAt,
      )
      return again === undefined
        ? []
        : [
            {
              says: `used a token again that had been refused as invalid (${callOf(again)})`,
              scene: again,
            },
          ]
    }),
}

/** Both were under way at the same time: neither could know of the other's answer. */
const areConcurrent = (a: TraceEntry | undefined, b: TraceEntry) =>
  a !== undefined && b.at < a.answeredAt

const isRefused = (token: string, before: TraceEntry, { scenes }: AgentTrace) =>
  scenes.some(
    (it) => it.index < before.index && it.bearer === token && [401, 403].includes(it.answer.status),
  )
