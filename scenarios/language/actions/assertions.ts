import { z } from 'zod'
import { type Action, action, control, outcomeOf, Token } from '../action.ts'
import type { Answer } from '../answer.ts'
import { decode } from '../decode.ts'
import { Expected, isObject, match } from '../match.ts'
import { ExpectationFailed, type StepContext } from '../step-context.ts'
import { findGap, type Gap } from '../subsequence.ts'

/** Actions that only check. */
export const lookingActions = {
  decode_token: action({
    says: 'Decodes the `header` and `claims` of a token without verifying it.',
    example: 'decode_token: jit',
    args: Token,
    looks: 'value',
    run: async (word, { token }) => {
      const decoded = decode(await token(word))
      if (!isObject(decoded) || !isObject(decoded.claims))
        throw new ExpectationFailed('the token is not a JWT')
      return { value: decoded }
    },
  }),

  expect_journal: action({
    says: 'The journal has these events in this order, with others between allowed; `never`: it does not have these.',
    example: 'expect_journal: [task.opened, { type: permission.approved, by: policy }]',
    args: z.union([
      z.array(z.union([z.string(), z.looseObject({ type: z.string() })])).min(1),
      z
        .strictObject({
          events: z.array(z.union([z.string(), z.looseObject({ type: z.string() })])).optional(),
          never: z.array(z.string()).optional(),
        })
        .refine((it) => it.events !== undefined || it.never !== undefined, {
          error: 'expected events, never, or both',
        }),
    ]),
    looks: 'nothing',
    needs: () => ['control'],
    run: async (args, context) => {
      const { answer, items: entries } = await readLog(context, '/journal', 'entries')
      const { events = [], never = [] } = Array.isArray(args) ? { events: args } : args
      const at = Array.isArray(args) ? [] : ['events']
      failOnGap(
        findGap(
          events.map((it) => (typeof it === 'string' ? { type: it } : it)),
          entries,
          'type',
          at,
        ),
      )
      for (const [index, type] of never.entries()) {
        const found = entries.find((it) => it.type === type)
        if (found !== undefined)
          throw new ExpectationFailed(`expected no ${type}, found one`, ['never', index])
      }
      return outcomeOf(answer)
    },
  }),

  expect_exchanges: action({
    says: 'The seats received these requests in this order, with others between allowed.',
    example: 'expect_exchanges: [{ route: documents.read, status: 403 }, { route: jit.request }]',
    args: z.array(z.looseObject({})).min(1),
    looks: 'nothing',
    needs: () => ['control'],
    run: async (expected, context) => {
      const { answer, items } = await readLog(context, '/exchanges', 'exchanges')
      const seen = items.map(({ request, answer, ...rest }) => ({
        ...(isObject(request) ? { method: request.method, path: request.path } : {}),
        ...(isObject(answer) ? { status: answer.status } : {}),
        ...rest,
        request,
        answer,
      }))
      failOnGap(findGap(expected, seen, 'route'))
      return outcomeOf(answer)
    },
  }),

  assert: action({
    says: 'Compares a value, such as saved variables, with an expectation.',
    example: 'assert: { value: [$first, $second], expect: { in_any_order: [200, 403] } }',
    args: z.strictObject({ value: z.unknown(), expect: Expected }),
    looks: 'nothing',
    run: async ({ value, expect }) => {
      const differences = match(expect, value, '', ['expect'])
      if (differences.length > 0)
        throw new ExpectationFailed('the value does not match', [], differences)
      return { value }
    },
  }),
} satisfies Record<string, Action>

/** All pages of a log, and the last answer. */
const readLog = async (context: StepContext, path: string, field: string) => {
  const items: Readonly<Record<string, unknown>>[] = []
  for (let after: unknown = 0; ; ) {
    const { answer } = await control(context, 'GET', `${path}?after=${after}`)
    items.push(...listIn(answer, field))
    if (!isObject(answer.body) || answer.body.more !== true) return { answer, items }
    after = answer.body.next
  }
}

const failOnGap = (gap: Gap | undefined) => {
  if (gap !== undefined) throw new ExpectationFailed(gap.message, gap.at, gap.differences)
}

const listIn = (answer: Answer, field: string): readonly Readonly<Record<string, unknown>>[] => {
  const list = isObject(answer.body) ? answer.body[field] : undefined
  return Array.isArray(list) ? list.filter(isObject) : []
}
