import { z } from 'zod'
import {
  ApproverScript,
  accessTokenType,
  Dialect,
  Duration,
  ForgeToken,
  MintUserToken,
  Policy,
  SwitchMisbehaviour,
  tokenExchange,
} from '../../server/wire/index.ts'
import type { Capability } from '../targets/target.ts'
import { agentFetch } from './agent-fetch.ts'
import { decode } from './decode.ts'
import type { Answer } from './exchange.ts'
import { Expected, isObject, match, type Path } from './match.ts'
import { type Outcome, type Performed, type Scene, type Step, Unmet } from './scene.ts'
import { subsequence } from './subsequence.ts'

/** A list of steps inside a step. Each is checked by its own word (load.ts). */
export const Steps = z.array(z.custom<Step>(() => true)).min(1)

type Nest = Readonly<{ steps: readonly unknown[]; at: Path; times?: number }>
type Definition<S extends z.ZodType> = Readonly<{
  /** One sentence for the table in the README. */
  says: string
  example: string
  args: S
  /** What `expect` looks at: the HTTP answer, the fields of its body, a value, or nothing. */
  looks: 'answer' | 'fields' | 'value' | 'nothing'
  /** Built-in variables that hold something from here on. */
  sets?: readonly string[]
  needs?: (args: z.input<S>) => readonly Capability[]
  /** Lists of steps in the argument, whose variables are theirs to fill in. */
  nests?: (args: z.input<S>) => readonly Nest[]
  run: (args: z.input<S>, scene: Scene) => Promise<Outcome>
}>
export type Action = Omit<Definition<z.ZodType>, 'run' | 'needs' | 'nests'> &
  Readonly<{
    needs?: (args: unknown) => readonly Capability[]
    nests?: (args: unknown) => readonly Nest[]
    run: (args: unknown, scene: Scene) => Promise<Outcome>
  }>

const action = <S extends z.ZodType>(definition: Definition<S>): Action =>
  definition as unknown as Action

const Variable = z.string().regex(/^\$[A-Za-z_]/, { error: 'expected a variable such as $name' })
const orVariable = <S extends z.ZodType>(schema: S) => z.union([schema, Variable])
const Id = z.string().min(1)
const Headers = z.record(z.string(), z.string())
const Token = z.string().min(1).describe('jit, agent, approver, or a token such as $stolen')
const Line = z.string().regex(/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \/\S*$/, {
  error: 'expected a method and a path, such as GET /v1/documents',
})
const Time = z
  .custom<number | string>((it) => Duration.safeParse(it).success, {
    error: 'expected a duration: seconds, or ISO 8601 such as PT5M',
  })
  .meta({ type: ['number', 'string'], examples: ['PT5M'] })
const Call = z.union([
  Line,
  z.strictObject({ request: Line, json: z.unknown().optional(), headers: Headers.optional() }),
])

/** The language: every action, what it takes and what it does. */
export const actions = {
  // ── The agent at the issuer ────────────────────────────────────────────────────────────────────
  authenticate: action({
    says: 'The agent gets its own token (client_credentials). Done by itself when first needed.',
    example: 'authenticate: { scope: read:documents }',
    args: z.strictObject({
      scope: z.string().optional(),
      resource: z.union([z.string(), z.array(z.string())]).optional(),
      /** How the client authenticates; `post` is what all SDKs do. */
      method: z.enum(['post', 'basic']).default('post'),
      client_id: z.string().optional(),
      client_secret: z.string().optional(),
    }),
    looks: 'fields',
    sets: ['token'],
    run: async ({ method, client_id, client_secret, ...form }, { send, agent, me }) => {
      const client = {
        client_id: client_id ?? agent.client_id,
        client_secret: client_secret ?? agent.client_secret,
      }
      const answer = await send('issuer', {
        method: 'POST',
        path: '/oauth/token',
        form: {
          grant_type: 'client_credentials',
          ...(method === 'basic' ? {} : client),
          ...form,
        },
        headers: method === 'basic' ? { authorization: basic(client) } : {},
        by: 'none',
      })
      keep(answer, 'access_token', (token) => {
        me.token = token
      })
      return answered(answer)
    },
  }),

  open_task: action({
    says: 'The agent opens a task; later steps of the agent happen within it.',
    example: 'open_task: { name: Q4 report }',
    args: z.strictObject({
      name: z.string().optional(),
      type: z.string().optional(),
      parent_task_id: Id.optional(),
      on_behalf_of: z.string().optional(),
    }),
    looks: 'fields',
    sets: ['task'],
    run: async (json, { send, me }) => {
      const answer = await send('issuer', { method: 'POST', path: '/jit/task', json })
      if (isSuccess(answer) && isObject(answer.body)) me.task = answer.body
      return answered(answer)
    },
  }),

  request_permission: action({
    says: 'The agent asks for a permission within its task.',
    example: 'request_permission: { details: $needed, justification: The user asked for it }',
    args: z.strictObject({
      details: z.unknown(),
      justification: z.string().optional(),
      requested_ttl: orVariable(z.number()).optional(),
      callback_url: z.string().optional(),
      task_id: Id.optional(),
    }),
    looks: 'fields',
    sets: ['request'],
    run: async ({ details, task_id, ...rest }, { send, me }) => {
      const answer = await send('issuer', {
        method: 'POST',
        path: '/jit/request',
        json: {
          task_id: task_id ?? current(me.task, 'task_id'),
          authorization_details: details,
          ...rest,
        },
      })
      if (isSuccess(answer) && isObject(answer.body)) me.request = answer.body
      return answered(answer)
    },
  }),

  request_status: action({
    says: 'The agent looks once at its permission request.',
    example: 'request_status: {}',
    args: z.strictObject({ request_id: Id.optional() }),
    looks: 'fields',
    run: async ({ request_id }, { send, me }) =>
      answered(await send('issuer', statusOf(request_id ?? current(me.request, 'request_id')))),
  }),

  wait_for_decision: action({
    says: 'The agent polls its request, at the interval it was given, until it is decided.',
    example: 'wait_for_decision: { polls: 20 }',
    args: z.strictObject({ request_id: Id.optional(), polls: z.int().positive().default(20) }),
    looks: 'fields',
    run: async ({ request_id, polls = 20 }, { send, me, wait }) => {
      const order = statusOf(request_id ?? current(me.request, 'request_id'))
      for (let poll = 1; ; poll++) {
        const answer = await send('issuer', order)
        const { status, interval } = isObject(answer.body) ? answer.body : {}
        if (!isSuccess(answer) || status !== 'pending') return answered(answer)
        if (poll === polls) throw new Unmet(`still pending after ${polls} polls`)
        await wait(typeof interval === 'number' ? interval : 5)
      }
    },
  }),

  get_token: action({
    says: 'The agent exchanges its approved request for the JIT token.',
    example: 'get_token: {}',
    args: z.strictObject({ request_id: Id.optional() }),
    looks: 'fields',
    sets: ['jit'],
    run: async ({ request_id }, { send, me }) => {
      const id = request_id ?? current(me.request, 'request_id')
      const answer = await send('issuer', {
        method: 'POST',
        path: `/jit/request/${encodeURIComponent(id)}/token`,
      })
      keep(answer, 'access_token', (token) => {
        me.jit = token
      })
      return answered(answer)
    },
  }),

  complete_task: action({
    says: 'The agent completes its task, which revokes all it was granted.',
    example: 'complete_task: {}',
    args: z.strictObject({ task_id: Id.optional() }),
    looks: 'fields',
    run: async ({ task_id }, { send, me }) => {
      const id = encodeURIComponent(task_id ?? current(me.task, 'task_id'))
      return answered(await send('issuer', { method: 'POST', path: `/jit/task/${id}/complete` }))
    },
  }),

  evaluate_task: action({
    says: 'The agent reports how its task went (CAEP evaluation).',
    example: 'evaluate_task: { result: failed }',
    args: z.strictObject({
      task_id: Id.optional(),
      result: z.string().optional(),
      notes: z.string().optional(),
    }),
    looks: 'fields',
    run: async ({ task_id, ...json }, { send, me }) => {
      const id = encodeURIComponent(task_id ?? current(me.task, 'task_id'))
      return answered(
        await send('issuer', { method: 'POST', path: `/jit/task/${id}/evaluate`, json }),
      )
    },
  }),

  exchange_token: action({
    says: 'Token exchange (RFC 8693): the agent acts for a user, or narrows a token. Sent without client authentication, as SDKs do.',
    example: 'exchange_token: { subject_token: $alice, actor_token: agent }',
    args: z.strictObject({
      subject_token: Token,
      actor_token: Token.optional(),
      scope: z.string().optional(),
      audience: z.union([z.string(), z.array(z.string())]).optional(),
      resource: z.union([z.string(), z.array(z.string())]).optional(),
      subject_token_type: z.string().optional(),
      actor_token_type: z.string().optional(),
      requested_token_type: z.string().optional(),
      jit_task_id: z.string().optional(),
    }),
    looks: 'fields',
    run: async ({ subject_token, actor_token, ...rest }, { send, token }) =>
      answered(
        await send('issuer', {
          method: 'POST',
          path: '/oauth/token',
          form: {
            grant_type: tokenExchange,
            subject_token: await token(subject_token),
            subject_token_type: accessTokenType,
            ...(actor_token === undefined
              ? {}
              : { actor_token: await token(actor_token), actor_token_type: accessTokenType }),
            ...rest,
          },
          by: 'none',
        }),
      ),
  }),

  introspect: action({
    says: 'The API asks the issuer whether a token is alive.',
    example: 'introspect: { token: jit }',
    args: z.strictObject({ token: Token, token_type_hint: z.string().optional() }),
    looks: 'fields',
    run: async ({ token: word, ...hint }, { send, token, session }) =>
      answered(
        await send('issuer', {
          method: 'POST',
          path: '/oauth/introspect',
          form: { token: await token(word), ...hint },
          by: session.apiClient === undefined ? 'client' : 'api_client',
        }),
      ),
  }),

  revoke: action({
    says: 'The agent revokes a token (RFC 7009).',
    example: 'revoke: { token: jit }',
    args: z.strictObject({ token: Token, token_type_hint: z.string().optional() }),
    looks: 'fields',
    run: async ({ token: word, ...hint }, { send, token }) =>
      answered(
        await send('issuer', {
          method: 'POST',
          path: '/oauth/revoke',
          form: { token: await token(word), ...hint },
          by: 'client',
        }),
      ),
  }),

  userinfo: action({
    says: 'The bearer asks who it is.',
    example: 'userinfo: {}',
    args: z.strictObject({}),
    looks: 'fields',
    run: async (_, { send }) =>
      answered(await send('issuer', { method: 'GET', path: '/oauth/userinfo' })),
  }),

  discover: action({
    says: 'Anyone reads a well-known document of the issuer.',
    example: 'discover: jwks',
    args: z.enum(['oauth', 'openid', 'jwks']),
    looks: 'fields',
    run: async (which, { send }) => {
      const name = {
        oauth: 'oauth-authorization-server',
        openid: 'openid-configuration',
        jwks: 'jwks.json',
      }[which]
      return answered(
        await send('issuer', { method: 'GET', path: `/.well-known/${name}`, by: 'none' }),
      )
    },
  }),

  // ── People ─────────────────────────────────────────────────────────────────────────────────────
  list_pending: action({
    says: 'An approver lists the requests that wait.',
    example: 'list_pending: {}',
    args: z.strictObject({}),
    looks: 'fields',
    needs: () => ['approver'],
    run: async (_, { send }) =>
      answered(await send('issuer', { method: 'GET', path: '/jit/pending', by: 'approver' })),
  }),

  approve: action({
    says: 'An approver approves the request; `as: someone@example.com` says who.',
    example: 'approve: { ttl: 120, notes: Fine }',
    args: z.strictObject({
      request_id: Id.optional(),
      ttl: orVariable(z.number()).optional(),
      notes: z.string().optional(),
    }),
    looks: 'fields',
    needs: () => ['approver'],
    run: (args, scene) => decide('approve', args, scene),
  }),

  deny: action({
    says: 'An approver denies the request.',
    example: 'deny: { reason: Not during the audit }',
    args: z.strictObject({ request_id: Id.optional(), reason: z.string().optional() }),
    looks: 'fields',
    needs: () => ['approver'],
    run: (args, scene) => decide('deny', args, scene),
  }),

  // ── The API ────────────────────────────────────────────────────────────────────────────────────
  call: action({
    says: 'Calls the API with the agent’s own token; `with: jit` uses the JIT token.',
    example: 'call: GET /v1/documents/doc_9982',
    args: Call,
    looks: 'answer',
    needs: (args) => (readCall(args).method === 'GET' ? [] : ['writes']),
    run: async (args, { send }) => answered(await send('api', readCall(args))),
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
        /** What the client may ask for; default: reading. */
        allow: z.union([z.literal('any'), z.array(z.looseObject({ type: z.string() }))]).optional(),
        /** How many identical calls it makes at once. */
        times: z.int().min(1).max(100).optional(),
      }),
    ]),
    looks: 'answer',
    sets: ['task'],
    needs: (args) => (readCall(args).method === 'GET' ? [] : ['writes']),
    run: async (args, scene) => {
      const { justification, allow, times } = typeof args === 'string' ? {} : args
      return answered(await agentFetch({ ...readCall(args), justification, allow, times }, scene))
    },
  }),

  http: action({
    says: 'Any request at all, as it is. The path is below the seat’s base; `from: origin` starts at the root.',
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
        /** Bytes that are no text. */
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
      return answered(
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

  // ── The world around them ──────────────────────────────────────────────────────────────────────
  advance: action({
    says: 'Moves the tenant’s time; against a real target, waits.',
    example: 'advance: PT5M',
    args: Time,
    looks: 'nothing',
    run: async (time, { wait }) => answered(await wait(Duration.parse(time))),
  }),

  set_policy: action({
    says: 'Replaces the tenant’s policy.',
    example: 'set_policy: { rules: [{ name: all ask, risk: high, decision: ask }] }',
    args: Policy,
    looks: 'fields',
    needs: () => ['control'],
    run: (json, scene) => control(scene, 'PUT', '/policy', json),
  }),

  script_approver: action({
    says: 'Scripts how a person answers from now on.',
    example: 'script_approver: { decision: approve, after_polls: 2 }',
    args: ApproverScript,
    looks: 'fields',
    needs: () => ['control'],
    run: (json, scene) => control(scene, 'PUT', '/approver', json),
  }),

  set_dialect: action({
    says: 'Sets dialect switches; those not given return to their defaults.',
    example: 'set_dialect: { challenge: wg-00 }',
    args: Dialect,
    looks: 'fields',
    needs: () => ['control'],
    run: (json, scene) => control(scene, 'PUT', '/dialect', json),
  }),

  misbehave: action({
    says: 'Switches a misbehaviour of a seat on; `none` switches all off.',
    example: 'misbehave: { name: slow_answers, times: 1 }',
    args: z.union([z.string().min(1), SwitchMisbehaviour]),
    looks: 'fields',
    needs: () => ['control'],
    run: (args, scene) =>
      args === 'none'
        ? control(scene, 'DELETE', '/misbehaviours')
        : control(
            scene,
            'POST',
            '/misbehaviours',
            typeof args === 'string' ? { name: args } : args,
          ),
  }),

  mint_user_token: action({
    says: 'Makes an access token of a user, as if that person had signed in.',
    example: 'mint_user_token: { user: alice@example.com }',
    args: MintUserToken,
    looks: 'fields',
    needs: () => ['control'],
    run: (json, scene) => control(scene, 'POST', '/user-token', json),
  }),

  forge_token: action({
    says: 'Makes a token to order, to test who verifies it; null removes a claim.',
    example: 'forge_token: { key: foreign, claims: { exp: null } }',
    args: ForgeToken,
    looks: 'fields',
    needs: () => ['control'],
    run: (json, scene) => control(scene, 'POST', '/forged-token', json),
  }),

  // ── Looking ────────────────────────────────────────────────────────────────────────────────────
  decode_token: action({
    says: 'Shows the `header` and `claims` of a token. Verifies nothing.',
    example: 'decode_token: jit',
    args: Token,
    looks: 'value',
    run: async (word, { token }) => {
      const decoded = decode(await token(word))
      if (!isObject(decoded) || !isObject(decoded.claims)) throw new Unmet('the token is no JWT')
      return { value: decoded }
    },
  }),

  expect_journal: action({
    says: 'These events happened in this order, maybe with others between; `never`: these did not.',
    example: 'expect_journal: [task.opened, { type: permission.requested, risk_level: low }]',
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
    run: async (args, scene) => {
      const { answer } = await control(scene, 'GET', '/journal')
      const { events = [], never = [] } = Array.isArray(args) ? { events: args } : args
      const entries = listIn(answer, 'entries')
      const at = Array.isArray(args) ? [] : ['events']
      subsequence(
        events.map((it) => (typeof it === 'string' ? { type: it } : it)),
        entries,
        'type',
        at,
      )
      for (const [index, type] of never.entries()) {
        const found = entries.find((it) => it.type === type)
        if (found !== undefined) throw new Unmet(`${type} did happen`, ['never', index])
      }
      return answered(answer)
    },
  }),

  expect_exchanges: action({
    says: 'The seats saw these requests in this order, maybe with others between.',
    example: 'expect_exchanges: [{ route: documents.read, status: 403 }, { route: jit.request }]',
    args: z.array(z.looseObject({})).min(1),
    looks: 'nothing',
    needs: () => ['control'],
    run: async (expected, scene) => {
      const { answer } = await control(scene, 'GET', '/exchanges')
      const seen = listIn(answer, 'exchanges').map(({ request, answer, ...rest }) => ({
        ...(isObject(request) ? { method: request.method, path: request.path } : {}),
        ...(isObject(answer) ? { status: answer.status } : {}),
        ...rest,
        request,
        answer,
      }))
      subsequence(expected, seen, 'route', [])
      return answered(answer)
    },
  }),

  assert: action({
    says: 'Compares a value, such as saved variables, with an expectation.',
    example: 'assert: { value: [$first, $second], expect: { in_any_order: [200, 403] } }',
    args: z.strictObject({ value: z.unknown(), expect: Expected }),
    looks: 'nothing',
    run: async ({ value, expect }) => {
      const differences = match(expect, value, '', ['expect'])
      if (differences.length > 0) throw new Unmet('the value is not as expected', [], differences)
      return { value }
    },
  }),

  // ── Order ──────────────────────────────────────────────────────────────────────────────────────
  parallel: action({
    says: 'Runs branches at once; `expect: { statuses: … }` sees the last status of each.',
    example: 'parallel: { times: 5, steps: [{ get_token: {} }] }',
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
            .filter((it): it is PromiseFulfilledResult<Performed> => it.status === 'fulfilled')
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
    says: 'Repeats steps in real time until they pass, at most this long.',
    example: 'eventually: { within: PT2S, steps: [{ expect_journal: [signal.delivered] }] }',
    args: z.strictObject({ within: Time, steps: Steps }),
    looks: 'nothing',
    nests: ({ steps }) => [{ steps, at: ['steps'] }],
    run: async ({ within, steps }, { perform }) => {
      const deadline = performance.now() + Duration.parse(within) * 1000
      for (let pause = 5; ; pause = Math.min(pause * 2, 200)) {
        try {
          await perform(steps, ['steps'], { label: '1' })
          return { value: undefined }
        } catch (error) {
          if (performance.now() + pause > deadline) throw error
        }
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    },
  }),
} satisfies Record<string, Action>

export type Word = keyof typeof actions

export const isWord = (key: string): key is Word => Object.hasOwn(actions, key)

export const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300

const bodies = ['json', 'form', 'body', 'base64', 'filler'] as const

const answered = (answer: Answer | undefined): Outcome => ({ answer, value: answer?.body })

const basic = ({ client_id, client_secret }: { client_id: string; client_secret: string }) =>
  `Basic ${Buffer.from(`${encodeURIComponent(client_id)}:${encodeURIComponent(client_secret)}`).toString('base64')}`

const keep = (answer: Answer, field: string, take: (value: string) => void) => {
  const value = isObject(answer.body) ? answer.body[field] : undefined
  if (isSuccess(answer) && typeof value === 'string') take(value)
}

/** The id in what the agent has in hand. */
const current = (held: Readonly<Record<string, unknown>> | undefined, id: string): string => {
  const value = held?.[id]
  if (typeof value === 'string') return value
  throw new Unmet(
    id === 'task_id'
      ? 'the agent has no task yet: open_task comes first, or give task_id'
      : 'the agent has no request yet: request_permission comes first, or give request_id',
  )
}

const statusOf = (id: string) => ({
  method: 'GET',
  path: `/jit/request/${encodeURIComponent(id)}/status`,
})

const decide = async (
  what: 'approve' | 'deny',
  { request_id, ...json }: { request_id?: string | undefined; [key: string]: unknown },
  { send, me }: Scene,
): Promise<Outcome> => {
  const id = encodeURIComponent(request_id ?? current(me.request, 'request_id'))
  return answered(
    await send('issuer', { method: 'POST', path: `/jit/${what}/${id}`, json, by: 'approver' }),
  )
}

const control = async (scene: Scene, method: string, path: string, json?: unknown) => {
  const answer = await scene.send('control', { method, path, json, by: 'control' })
  if (!isSuccess(answer)) {
    const { error, error_description } = isObject(answer.body) ? answer.body : {}
    throw new Unmet(
      `the control plane answered ${answer.status} ${error ?? ''}: ${error_description ?? ''}`,
    )
  }
  return { answer, value: answer.body }
}

const listIn = (answer: Answer, field: string): readonly Readonly<Record<string, unknown>>[] => {
  const list = isObject(answer.body) ? answer.body[field] : undefined
  return Array.isArray(list) ? list.filter(isObject) : []
}

type CallArgs =
  | string
  | { request: string; json?: unknown; headers?: Record<string, string> | undefined }

const readCall = (args: CallArgs) => {
  const { request, json, headers } =
    typeof args === 'string' ? { request: args, json: undefined, headers: undefined } : args
  const [method = '', path = ''] = request.split(' ')
  return { method, path, json, headers }
}
