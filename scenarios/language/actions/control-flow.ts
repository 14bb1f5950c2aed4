import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { Duration } from '../../../server/wire/index.ts'
import { type Action, action, Steps, Time } from '../action.ts'
import type { Path } from '../match.ts'
import type { StepPerformed } from '../step-context.ts'

/** Actions that contain other steps. */
export const orderActions = {
  parallel: action({
    says: 'Runs branches concurrently; `expect: { statuses: … }` has the last status of each.',
    example: 'parallel: { times: 5, steps: [{ request_status: {} }] }',
    args: z.union([
      z.array(Steps).min(2),
      z.strictObject({ times: z.int().min(2).max(100), steps: Steps }),
    ]),
    looks: 'value',
    nests: (args) =>
      Array.isArray(args)
        ? args.map((steps, index) => ({ steps, at: [index] }))
        : [{ steps: args.steps, at: ['steps'] }],
    run: async (args, { perform }) => {
      const branches = Array.isArray(args)
        ? args.map((steps, index) => ({ steps, at: [index] as Path }))
        : Array.from({ length: args.times }, () => ({ steps: args.steps, at: ['steps'] as Path }))
      const settled = await Promise.allSettled(
        branches.map(({ steps, at }, index) =>
          perform(steps, at, {
            apart: true,
            label: String(index + 1),
            variables: { round: index },
          }),
        ),
      )
      const failed = settled.find((it) => it.status === 'rejected')
      if (failed !== undefined) throw failed.reason
      return {
        value: {
          statuses: settled
            .filter((it): it is PromiseFulfilledResult<StepPerformed> => it.status === 'fulfilled')
            .map((it) => it.value.answer?.status ?? null),
        },
      }
    },
  }),

  repeat: action({
    says: 'Runs steps several times; `$round` counts from 0.',
    example: 'repeat: { times: 3, steps: [{ request_status: {} }] }',
    args: z.strictObject({ times: z.int().min(1).max(1000), steps: Steps }),
    looks: 'nothing',
    nests: ({ times, steps }) => [{ steps, at: ['steps'], times }],
    run: async ({ times, steps }, { perform }) => {
      for (let round = 0; round < times; round++) {
        await perform(steps, ['steps'], { label: String(round + 1), variables: { round } })
      }
      return { value: undefined }
    },
  }),

  eventually: action({
    says: 'Repeats steps in real time until they pass, or the time is over.',
    example: 'eventually: { within: PT2S, steps: [{ expect_journal: [signal.delivered] }] }',
    args: z.strictObject({ within: Time, steps: Steps }),
    looks: 'nothing',
    nests: ({ steps }) => [{ steps, at: ['steps'] }],
    run: async ({ within, steps }, { perform, stop }) => {
      const deadline = performance.now() + Duration.parse(within) * 1000
      for (let pause = 5; ; pause = Math.min(pause * 2, 200)) {
        try {
          await perform(steps, ['steps'], { label: '1' })
          return { value: undefined }
        } catch (error) {
          stop?.throwIfAborted()
          if (performance.now() + pause > deadline) throw error
        }
        await sleep(pause)
      }
    },
  }),
} satisfies Record<string, Action>
