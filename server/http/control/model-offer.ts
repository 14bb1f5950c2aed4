import { jsonSchemaOf } from '../../model/gemini-schema.ts'
import type { Offer, OfferedTool, ToolChoice } from '../../model/offer.ts'
import type {
  ChatRequest,
  GeminiRequest,
  RequestedTool,
  ResponsesRequest,
} from '../../wire/index.ts'
import { answerWith } from '../refusals.ts'

/** What a request says about tools and the form of the answer, in a form common to all APIs. */
export type Demand = Readonly<{
  /** The tools as the request describes them. */
  described: readonly unknown[]
  /** The names of all tools, including tools that are not functions. */
  names: readonly string[]
  functions: readonly OfferedTool[]
  choice: ToolChoice
  /** The member of the request that holds `choice`. */
  choiceParameter: string
  answerSchema?: unknown
}>

/**
 * The functions of a request, whether the model must call one, and the form of its answer.
 * @throws {HttpError} 400 for a choice that the tools of the request cannot meet
 */
export const offerOf = (model: string, demand: Demand): Offer => {
  const { described, names, functions, choice, choiceParameter, answerSchema } = demand
  const reject = (problem: string): never =>
    answerWith(400, 'invalid_request', `${choiceParameter}: ${problem}`, { param: choiceParameter })
  if (choice.mode === 'required' && described.length === 0) {
    return reject('expected tools in the request, received none')
  }
  const unknown = choice.among?.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    return reject(`expected a tool of the request (${names.join(', ')}), received "${unknown}"`)
  }
  return { model, tools: functions, choice, answerSchema }
}

export const demandOfOpenAi = (request: ChatRequest | ResponsesRequest): Demand => {
  const tools = request.tools ?? []
  return {
    described: tools,
    names: tools.flatMap((tool) => nameOf(tool) ?? []),
    functions: functionsOf(tools),
    choice: openAiChoice(request),
    choiceParameter: 'tool_choice',
    answerSchema: openAiAnswerSchema(request),
  }
}

/** Tools of other types, such as web search, run at OpenAI, and are not called. */
const functionsOf = (tools: readonly RequestedTool[]): OfferedTool[] =>
  tools.flatMap((tool) => {
    const { name, parameters } = tool.function ?? tool
    const isFunction = tool.function !== undefined || (tool.type ?? 'function') === 'function'
    return isFunction && name !== undefined ? [{ name, parameters }] : []
  })

const nameOf = (tool: RequestedTool): string | undefined =>
  (tool.function ?? tool.custom ?? tool).name

const openAiChoice = ({ tool_choice: given }: ChatRequest | ResponsesRequest): ToolChoice => {
  if (given === undefined || given === null) return { mode: 'auto' }
  if (typeof given === 'string') return { mode: given }
  if (given.type === 'allowed_tools') {
    const { mode = 'auto', tools = [] } = given.allowed_tools ?? given
    return { mode, among: tools.flatMap((tool) => nameOf(tool) ?? []) }
  }
  const name = nameOf(given)
  return name === undefined ? { mode: 'auto' } : { mode: 'required', among: [name] }
}

const openAiAnswerSchema = (request: ChatRequest | ResponsesRequest): unknown => {
  const format = 'messages' in request ? chatFormatOf(request as ChatRequest) : request.text?.format
  if (format?.type === 'json_schema') return format.schema ?? anyObject
  return format?.type === 'json_object' ? anyObject : undefined
}

const chatFormatOf = ({ response_format: format }: ChatRequest) =>
  format && { type: format.type, schema: format.json_schema?.schema }

const anyObject = { type: 'object', properties: { answer: { type: 'string' } } }

/** Tools without declarations, such as Google Search, run at Google, and are not called. */
export const demandOfGemini = ({ tools, toolConfig, generationConfig }: GeminiRequest): Demand => {
  const described = tools ?? []
  const functions = described
    .flatMap(({ functionDeclarations }) => functionDeclarations ?? [])
    .map(({ name, parameters, parametersJsonSchema }) => ({
      name,
      parameters: parametersJsonSchema ?? jsonSchemaOf(parameters),
    }))
  const { mode, allowedFunctionNames } = toolConfig?.functionCallingConfig ?? {}
  const { responseMimeType, responseSchema, responseJsonSchema } = generationConfig ?? {}
  return {
    described,
    names: functions.map(({ name }) => name),
    functions,
    choice: {
      mode: mode === 'ANY' ? 'required' : mode === 'NONE' ? 'none' : 'auto',
      ...(allowedFunctionNames?.length ? { among: allowedFunctionNames } : {}),
    },
    choiceParameter: 'toolConfig.functionCallingConfig',
    answerSchema:
      responseMimeType === 'application/json'
        ? (responseJsonSchema ?? jsonSchemaOf(responseSchema) ?? anyObject)
        : undefined,
  }
}
