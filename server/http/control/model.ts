import { defaultReply } from '../../model/default-reply.ts'
import { callId } from '../../model/ids.ts'
import { nextReply } from '../../model/script.ts'
import { usualScript } from '../../model/scripted-model.ts'
import { turnsOfChat, turnsOfGemini, turnsOfResponses } from '../../model/turns.ts'
import { same } from '../../signing/secrets.ts'
import {
  type ChatRequest,
  type ModelConversation,
  type ModelRoute,
  ModelScript,
  type ResponsesRequest,
  type SetModelScript,
  type Turn,
} from '../../wire/index.ts'
import { FlawedFile, mostForeignTokens, parseYaml } from '../../wire/yaml-source.ts'
import type { Area, Routed } from '../core.ts'
import { type Answer, type Call, type Handlers, ok } from '../message.ts'
import { answerWith, HttpError } from '../refusals.ts'
import { modelKeyIn, readTenantOfModelKey } from '../tenant/find-tenant.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import { geminiAnswer, geminiError, geminiStream } from './gemini-answers.ts'
import type { ModelAnswer } from './model-answer.ts'
import { type Demand, demandOfGemini, demandOfOpenAi, offerOf } from './model-offer.ts'
import { chatCompletion, chatStream, modelResponse, responseStream } from './openai-responses.ts'

export type ModelContext = Readonly<{ context: TenantContext; script: ModelScript }>

/** The scripted model of every tenant. The path or the API key identifies the tenant. */
export const modelArea = (
  find: (slug: string) => TenantContext | undefined,
): Area<ModelRoute, ModelContext> => ({
  handlers: modelHandlers,
  findTenant: ({ request, params }) => find(params.tenant ?? readTenantOfModelKey(request) ?? ''),
  authenticate: modelContext,
  shapeAnswer: (answer, name) =>
    answer.status < 400
      ? answer
      : name.startsWith('model.gemini.')
        ? geminiError(answer)
        : openAiError(answer),
})

const modelContext = ({ context, request }: Routed<ModelRoute>): ModelContext => {
  const key = modelKeyIn(request) ?? ''
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
const openAiError = ({ status, body }: Answer): Answer => {
  const { error: code, message, param = null } = body as Record<string, unknown>
  const type = status < 500 ? 'invalid_request_error' : 'server_error'
  return { status, body: { error: { message, type, param, code } } }
}

const modelHandlers: Handlers<ModelRoute, ModelContext> = {
  'model.chat': (call) => {
    const { body } = call
    const answer = answerFromScript(call, {
      ...askedOfOpenAi(body),
      api: 'chat',
      turns: turnsOfChat(body),
    })
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
    const answer = answerFromScript(call, {
      ...askedOfOpenAi(body),
      api: 'responses',
      turns: [...earlier, ...turns],
    })
    return body.stream ? responseStream(answer) : ok(modelResponse(answer))
  },
  'model.list': ({ script, context }) =>
    ok({ object: 'list', data: (script.models ?? usualModels).map((id) => info(id, context)) }),
  'model.read': ({ script, context, params: { model = '' } }) =>
    answersTo(script, model) ? ok(info(model, context)) : unknownModel(script, model),
  'model.gemini.generate': (call) => ok(geminiAnswer(answerFromScript(call, askedOfGemini(call)))),
  'model.gemini.stream': (call) =>
    geminiStream(answerFromScript(call, askedOfGemini(call)), call.query.alt === 'sse'),
}

/** A request to the model, in a form common to all APIs. */
type Asked = Readonly<{
  api: ModelConversation['api']
  model: string
  stream: boolean
  turns: Turn[]
  demand: Demand
  /** The names of the request's parameters. */
  parameters: readonly string[]
}>

const askedOfOpenAi = (request: ChatRequest | ResponsesRequest): Omit<Asked, 'api' | 'turns'> => ({
  model: request.model,
  stream: request.stream ?? false,
  demand: demandOfOpenAi(request),
  parameters: Object.keys(request),
})

const askedOfGemini = ({
  route,
  params: { model = '' },
  body,
}: Call<'model.gemini.generate' | 'model.gemini.stream'>): Asked => ({
  api: 'gemini',
  model,
  stream: route === 'model.gemini.stream',
  turns: turnsOfGemini(body),
  demand: demandOfGemini(body),
  parameters: Object.keys(body).flatMap((name) =>
    name === 'generationConfig'
      ? Object.keys(body.generationConfig ?? {}).map((it) => `generationConfig.${it}`)
      : name,
  ),
})

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
  { api, model, stream, turns, demand, parameters }: Asked,
): ModelAnswer => {
  const { tenant } = context
  const { conversations } = context.model
  const tools = [...demand.names]
  const isDefault = context.model.script === undefined
  const seq = conversations.last + 1
  const at = tenant.clock.now()
  const input = tokensIn(JSON.stringify([turns, demand.described]))
  const recorded = {
    seq,
    at,
    api,
    model,
    stream,
    turns,
    tools,
    ignored: parameters.filter(
      (name) => !supportedParameters[api].has(name) && !(isDefault && demands[api].has(name)),
    ),
    described: JSON.stringify(demand.described),
  }
  try {
    if (!answersTo(script, model)) unknownModel(script, model)
    const offer = offerOf(model, demand)
    const said = isDefault ? defaultReply(offer, turns) : nextReply(script, { model, tools, turns })
    if ('unforeseen' in said) {
      return answerWith(400, 'no_scripted_reply', said.unforeseen, {
        param: { chat: 'messages', responses: 'input', gemini: 'contents' }[api],
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
  gemini: new Set(['contents', 'systemInstruction', 'tools']),
}

/** Parameters that only the default script respects: a script of the user decides itself. */
const demands = {
  chat: new Set(['tool_choice', 'response_format']),
  responses: new Set(['tool_choice', 'text']),
  gemini: new Set([
    'toolConfig',
    'generationConfig.responseMimeType',
    'generationConfig.responseSchema',
    'generationConfig.responseJsonSchema',
  ]),
}

/** English text has about four characters per token. */
const tokensIn = (text: string) => Math.max(1, Math.ceil(text.length / 4))
