import { z } from 'zod'
import { accessTokenType, tokenExchange } from '../../../server/wire/index.ts'
import {
  type Action,
  action,
  currentId,
  Id,
  keepField,
  orVariable,
  outcomeOf,
  Token,
} from '../action.ts'
import { isSuccess } from '../answer.ts'
import { basic } from '../basic-auth.ts'
import { isObject } from '../match.ts'
import { ExpectationFailed } from '../step-context.ts'

/** Actions of an agent at the issuer. */
export const agentActions = {
  authenticate: action({
    says: 'The agent requests its own token (client_credentials). Happens by itself when first needed.',
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
      keepField(answer, 'access_token', (token) => {
        me.token = token
      })
      return outcomeOf(answer)
    },
  }),

  open_task: action({
    says: 'The agent creates a task; later steps of the agent use it.',
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
      return outcomeOf(answer)
    },
  }),

  request_permission: action({
    says: 'The agent makes a permission request in its task.',
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
          task_id: task_id ?? currentId(me.task, 'task_id'),
          authorization_details: details,
          ...rest,
        },
      })
      if (isSuccess(answer) && isObject(answer.body)) me.request = answer.body
      return outcomeOf(answer)
    },
  }),

  request_status: action({
    says: 'The agent reads the status of its request once.',
    example: 'request_status: {}',
    args: z.strictObject({ request_id: Id.optional() }),
    looks: 'fields',
    run: async ({ request_id }, { send, me }) =>
      outcomeOf(await send('issuer', statusOf(request_id ?? currentId(me.request, 'request_id')))),
  }),

  wait_for_decision: action({
    says: 'The agent polls its request at the given interval until it is decided.',
    example: 'wait_for_decision: { polls: 20 }',
    args: z.strictObject({ request_id: Id.optional(), polls: z.int().positive().default(20) }),
    looks: 'fields',
    run: async ({ request_id, polls = 20 }, { send, me, wait }) => {
      const order = statusOf(request_id ?? currentId(me.request, 'request_id'))
      for (let poll = 1; ; poll++) {
        const answer = await send('issuer', order)
        const { status, interval } = isObject(answer.body) ? answer.body : {}
        if (!isSuccess(answer) || status !== 'pending') return outcomeOf(answer)
        if (poll === polls) throw new ExpectationFailed(`still pending after ${polls} polls`)
        await wait(typeof interval === 'number' ? interval : 5)
      }
    },
  }),

  get_token: action({
    says: 'The agent exchanges its approved request for a JIT token.',
    example: 'get_token: {}',
    args: z.strictObject({ request_id: Id.optional() }),
    looks: 'fields',
    sets: ['jit'],
    run: async ({ request_id }, { send, me }) => {
      const id = request_id ?? currentId(me.request, 'request_id')
      const answer = await send('issuer', {
        method: 'POST',
        path: `/jit/request/${encodeURIComponent(id)}/token`,
      })
      keepField(answer, 'access_token', (token) => {
        me.jit = token
      })
      return outcomeOf(answer)
    },
  }),

  complete_task: action({
    says: 'The agent completes its task, which revokes its JIT tokens.',
    example: 'complete_task: {}',
    args: z.strictObject({ task_id: Id.optional() }),
    looks: 'fields',
    run: async ({ task_id }, { send, me }) => {
      const id = encodeURIComponent(task_id ?? currentId(me.task, 'task_id'))
      return outcomeOf(await send('issuer', { method: 'POST', path: `/jit/task/${id}/complete` }))
    },
  }),

  evaluate_task: action({
    says: 'The agent evaluates its task (CAEP evaluation).',
    example: 'evaluate_task: { result: failed }',
    args: z.strictObject({
      task_id: Id.optional(),
      result: z.string().optional(),
      notes: z.string().optional(),
    }),
    looks: 'fields',
    run: async ({ task_id, ...json }, { send, me }) => {
      const id = encodeURIComponent(task_id ?? currentId(me.task, 'task_id'))
      return outcomeOf(
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
      outcomeOf(
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
    says: 'The API introspects a token at the issuer.',
    example: 'introspect: { token: jit }',
    args: z.strictObject({ token: Token, token_type_hint: z.string().optional() }),
    looks: 'fields',
    run: async ({ token: word, ...hint }, { send, token, session }) =>
      outcomeOf(
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
      outcomeOf(
        await send('issuer', {
          method: 'POST',
          path: '/oauth/revoke',
          form: { token: await token(word), ...hint },
          by: 'client',
        }),
      ),
  }),

  userinfo: action({
    says: 'The bearer calls userinfo.',
    example: 'userinfo: {}',
    args: z.strictObject({}),
    looks: 'fields',
    run: async (_, { send }) =>
      outcomeOf(await send('issuer', { method: 'GET', path: '/oauth/userinfo' })),
  }),

  discover: action({
    says: 'Reads a well-known document of the issuer, without credentials.',
    example: 'discover: jwks',
    args: z.enum(['oauth', 'openid', 'jwks']),
    looks: 'fields',
    run: async (which, { send }) => {
      const name = {
        oauth: 'oauth-authorization-server',
        openid: 'openid-configuration',
        jwks: 'jwks.json',
      }[which]
      return outcomeOf(
        await send('issuer', { method: 'GET', path: `/.well-known/${name}`, by: 'none' }),
      )
    },
  }),
} satisfies Record<string, Action>

const statusOf = (id: string) => ({
  method: 'GET',
  path: `/jit/request/${encodeURIComponent(id)}/status`,
})
