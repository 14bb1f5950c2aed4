import { defaultReply } from '../../model/default-reply.ts'
import { callId } from '../../model/ids.ts'
import { nextReply } from '../../model/script.ts'
import { usualScript } from '../../model/scripted-model.ts'
import { turnsOfChat, turnsOfResponses } from '../../model/turns.ts'
import { same } from '../../signing/secrets.ts'
import {
  type ChatRequest,
  type ModelRoute,
  ModelScript,
  type ResponsesRequest,
  type SetModelScript,
  type Turn,
} from '../../wire/index.ts'
import { FlawedFile, mostForeignTokens, parseYaml } from '../../wire/yaml-source.ts'
import { bearerToken } from '../authorization-field.ts'
import type { Area, Routed } from '../core.ts'
import { type Answer, type Handlers, ok } from '../message.ts'
import { answerWith, HttpError } from '../refusals.ts'
import { readTenantOfModelKey } from '../tenant/find-tenant.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import { namesOfTools, offerOf } from './model-offer.ts'
import {
  chatCompletion,
  chatStream,
  type ModelAnswer,
  modelResponse,
  responseStream,
} from './openai-responses.ts'

export type ModelContext = Readonly<{ context: TenantContext; script: ModelScript }>

/** The scripted model of every tenant. The path or the API key identifies the tenant. */
export const modelArea = (
  find: (slug: string) => TenantContext | undefined,
): Area<ModelRoute, ModelContext> => ({
  handlers: modelHandlers,
  findTenant: ({ request, params }) => find(params.tenant ?? readTenantOfModelKey(request) ?? ''),
  authenticate: modelContext,
  shapeAnswer: withOpenAiErrors,
})

const modelContext = ({ context, request }: Routed<ModelRoute>): ModelContext => {
  const key = bearerToken(request) ?? ''
  if (context === undefined || !same(key, context.model.key)) {
    const shown = key.replace(/^(.{6}).*(.{4})$/s, '$1***$2')
    answerWith(
      401,
      'invalid_api_key',
      `expected the API key of a tenant's model, received "${shown}"`,
    )
  }
  return { context: context as TenantContext, script: context?.model.script ?? usualScript() }
}

/** @throws {HttpError} 400 with file, line and column of each error */
export const scriptFrom = (given: SetModelScript): ModelScript => {
  if (!('yaml' in given)) return given
  try {
    return parseYaml(given.file, given.yaml, ModelScript, mostForeignTokens)
  } catch (thrown) {
    if (!(thrown instanceof FlawedFile)) throw thrown
    return answerWith(400, 'invalid_script', thrown.message, { issues: thrown.flaws })
  }
}

/** Writes errors in OpenAI's form, as its clients expect. */
const withOpenAiErrors = ({ status, body, headers }: Answer): Answer => {
  if (status < 400) return { status, body, ...(headers ? { headers } : {}) }
  const { error: code, message, param = null } = body as Record<string, unknown>
  const type = status < 500 ? 'invalid_request_error' : 'server_error'
  return { status, body: { error: { message, type, param, code } } }
}

const modelHandlers: Handlers<ModelRoute, ModelContext> = {
  'model.chat': (call) => {
    const { body } = call
    const answer = answerFromScript(call, 'chat', body, turnsOfChat(body))
    return body.stream
      ? chatStream(answer, body.stream_options?.include_usage ?? false)
      : ok(chatCompletion(answer))
  },
  'model.responses': (call) => {
    const { body, context } = call
    const { conversations } = context.model
    const earlier = body.previous_response_id
      ? (conversations.upTo(body.previous_response_id) ??
        answerWith(400, 'previous_response_not_found', 'unknown previous_response_id', {
          param: 'previous_response_id',
        }))
      : []
    const turns = turnsOfResponses(body, (id) => conversations.item(id))
    const answer = answerFromScript(call, 'responses', body, [...earlier, ...turns])
    return body.stream ? responseStream(answer) : ok(modelResponse(answer))
  },
  'model.list': ({ script, context }) =>
    ok({ object: 'list', data: (script.models ?? usualModels).map((id) => info(id, context)) }),
  'model.read': ({ script, context, params: { model = '' } }) =>
    answersTo(script, model) ? ok(info(model, context)) : unknownModel(script, model),
}

const info = (id: string, { tenant }: TenantContext) => ({
  id,
  object: 'model',
  created: Math.floor(tenant.clock.now()),
  owned_by: 'lumoauth-harness',
})

/** The list of models when the script names none; then every name is accepted. */
const usualModels = [
  'scripted',
  'gpt-4',
  'gpt-4o',
  'gpt-4o-mini',
  'gpt-4.1',
  'gpt-4.1-mini',
  'gpt-5',
  'gpt-5-mini',
]

const answersTo = ({ models }: ModelScript, name: string) => models?.includes(name) ?? true

const unknownModel = ({ models = [] }: ModelScript, name: string): never =>
  answerWith(
    404,
    'model_not_found',
    `unknown model: ${name}; expected ${models.join(', ')}. Add it to models of the script, or remove models to answer any name`,
    { param: 'model' },
  )

/**
 * The reply of the script. Records every request, including those without a matching reply.
 * @throws {HttpError} 400 that quotes the last message
 */
const answerFromScript = (
  { context, script }: ModelContext,
  api: 'chat' | 'responses',
  request: ChatRequest | ResponsesRequest,
  turns: Turn[],
): ModelAnswer => {
  const { tenant } = context
  const { conversations } = context.model
  const { model } = request
  const tools = namesOfTools(request)
  const isDefault = context.model.script === undefined
  const seq = conversations.last + 1
  const at = tenant.clock.now()
  const input = tokensIn(JSON.stringify([turns, request.tools ?? []]))
  const recorded = {
    seq,
    at,
    api,
    model,
    stream: request.stream ?? false,
    turns,
    tools,
    ignored: Object.keys(request).filter(
      (name) => !supportedParameters[api].has(name) && !(isDefault && demands[api].has(name)),
    ),
    described: JSON.stringify(request.tools ?? []),
  }
  try {
    if (!answersTo(script, model)) unknownModel(script, model)
    const offer = offerOf(request)
    const said = isDefault ? defaultReply(offer, turns) : nextReply(script, { model, tools, turns })
    if ('unforeseen' in said) {
      return answerWith(400, 'no_scripted_reply', said.unforeseen, {
        param: api === 'chat' ? 'messages' : 'input',
      })
    }
    const turn: Turn = {
      role: 'assistant',
      text: said.text,
      ...(said.calls.length > 0
        ? { calls: said.calls.map((call, at) => ({ id: callId(seq, at), ...call })) }
        : {}),
    }
    const usage = { input, output: tokensIn(said.text + JSON.stringify(said.calls)) }
    conversations.record({ ...recorded, reply: turn, usage })
    return { seq, at, model, turn, usage }
  } catch (thrown) {
    if (!(thrown instanceof HttpError)) throw thrown
    const { message } = thrown.answer.body as { message: string }
    conversations.record({ ...recorded, error: message, usage: { input, output: 0 } })
    throw thrown
  }
}

const supportedParameters = {
  chat: new Set(['model', 'messages', 'tools', 'stream', 'stream_options']),
  responses: new Set(['model', 'input', 'instructions', 'tools', 'stream', 'previous_response_id']),
}

/** Parameters that only the default script respects: a script of the user decides itself. */
const demands = {
  chat: new Set(['tool_choice', 'response_format']),
  responses: new Set(['tool_choice', 'text']),
}

/** English text has about four characters per token. */
const tokensIn = (text: string) => Math.max(1, Math.ceil(text.length / 4))
