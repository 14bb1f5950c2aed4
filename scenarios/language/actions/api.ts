import { z } from 'zod'
import { type Action, action, outcomeOf } from '../action.ts'
import { agentFetch } from '../agent-fetch.ts'

const Headers = z.record(z.string(), z.string())

const Line = z.string().regex(/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (?:\/|\$\{)\S*$/, {
  error: 'expected a method and a path, such as GET /v1/documents',
})

const Call = z.union([
  Line,
  z.strictObject({ request: Line, json: z.unknown().optional(), headers: Headers.optional() }),
])

/** Actions at the API, and raw requests to any seat. */
export const apiActions = {
  call: action({
    says: 'Calls the API with the agent’s own token; `with: jit` uses the JIT token.',
    example: 'call: GET /v1/documents/doc_9982',
    args: Call,
    looks: 'answer',
    needs: (args) => (readCall(args).method === 'GET' ? [] : ['writes']),
    run: async (args, { send }) => outcomeOf(await send('api', readCall(args))),
  }),

  agent_fetch: action({
    says: 'Calls the API through the reference client, which escalates by itself: challenge, request, token, one retry.',
    example: 'agent_fetch: { request: GET /v1/documents/doc_9982, justification: The user asked }',
    args: z.union([
      Line,
      z.strictObject({
        request: Line,
        json: z.unknown().optional(),
        headers: Headers.optional(),
        justification: z.string().optional(),
        /** Details the client may request; default: reading. */
        allow: z.union([z.literal('any'), z.array(z.looseObject({ type: z.string() }))]).optional(),
        /** How many identical calls it makes at once. */
        times: z.int().min(1).max(100).optional(),
      }),
    ]),
    looks: 'answer',
    sets: ['task'],
    needs: (args) => (readCall(args).method === 'GET' ? [] : ['writes']),
    run: async (args, context) => {
      const { justification, allow, times } = typeof args === 'string' ? {} : args
      return outcomeOf(
        await agentFetch({ ...readCall(args), justification, allow, times }, context),
      )
    },
  }),

  http: action({
    says: 'Any request, unchanged. The path is below the seat’s base; with `from: origin` it is absolute.',
    example:
      'http: { seat: issuer, request: POST /jit/task, body: "{", headers: { content-type: application/json } }',
    args: z
      .strictObject({
        seat: z.enum(['issuer', 'api', 'control']).default('issuer'),
        request: Line,
        from: z.enum(['base', 'origin']).default('base'),
        headers: Headers.optional(),
        json: z.unknown().optional(),
        form: z
          .record(z.string(), z.union([z.string(), z.number(), z.array(z.string())]))
          .optional(),
        body: z.string().optional(),
        /** A binary body. */
        base64: z.base64().optional(),
        /** A body of this many bytes. */
        filler: z.int().positive().max(50_000_000).optional(),
      })
      .refine((it) => bodies.filter((key) => it[key] !== undefined).length <= 1, {
        error: `expected at most one of json, form, body, base64, filler`,
      }),
    looks: 'answer',
    needs: ({ seat }) => (seat === 'control' ? ['control'] : []),
    run: async ({ seat = 'issuer', request, base64, filler, body, ...rest }, { send }) => {
      const [method = '', path = ''] = request.split(' ')
      return outcomeOf(
        await send(seat, {
          method,
          path,
          ...rest,
          body:
            base64 === undefined
              ? filler === undefined
                ? body
                : 'x'.repeat(filler)
              : Uint8Array.from(Buffer.from(base64, 'base64')),
          by: seat === 'control' ? 'control' : 'none',
        }),
      )
    },
  }),
} satisfies Record<string, Action>

const bodies = ['json', 'form', 'body', 'base64', 'filler'] as const

type CallArgs =
  | string
  | { request: string; json?: unknown; headers?: Record<string, string> | undefined }

const readCall = (args: CallArgs) => {
  const { request, json, headers } =
    typeof args === 'string' ? { request: args, json: undefined, headers: undefined } : args
  const [method = '', path = ''] = request.split(' ')
  return { method, path, json, headers }
}
