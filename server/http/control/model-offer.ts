import type { Offer, OfferedTool, ToolChoice } from '../../model/offer.ts'
import type { ChatRequest, RequestedTool, ResponsesRequest } from '../../wire/index.ts'
import { answerWith } from '../refusals.ts'

type ModelRequest = ChatRequest | ResponsesRequest

/**
 * The functions of a request, whether the model must call one, and the form of its answer.
 * @throws {HttpError} 400 for a `tool_choice` that the tools of the request cannot meet
 */
export const offerOf = (request: ModelRequest): Offer => ({
  model: request.model,
  tools: functionsOf(request),
  choice: readToolChoice(request),
  answerSchema: answerSchemaOf(request),
})

/** The names of all tools, those that are no functions included. */
export const namesOfTools = ({ tools }: ModelRequest): string[] =>
  (tools ?? []).flatMap((tool) => nameOf(tool) ?? [])

/** Tools of other types, such as web search, run at OpenAI, and are not called. */
const functionsOf = ({ tools }: ModelRequest): OfferedTool[] =>
  (tools ?? []).flatMap((tool) => {
    const { name, parameters } = tool.function ?? tool
    const isFunction = tool.function !== undefined || (tool.type ?? 'function') === 'function'
    return isFunction && name !== undefined ? [{ name, parameters }] : []
  })

const nameOf = (tool: RequestedTool): string | undefined =>
  (tool.function ?? tool.custom ?? tool).name

const readToolChoice = (request: ModelRequest): ToolChoice => {
  const choice = parseToolChoice(request)
  const names = namesOfTools(request)
  const reject = (problem: string): never =>
    answerWith(400, 'invalid_request', `tool_choice: ${problem}`, { param: 'tool_choice' })
  if (choice.mode === 'required' && (request.tools ?? []).length === 0) {
    return reject('expected tools in the request, received none')
  }
  const unknown = choice.among?.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    return reject(`expected a tool of the request (${names.join(', ')}), received "${unknown}"`)
  }
  return choice
}

const parseToolChoice = ({ tool_choice: given }: ModelRequest): ToolChoice => {
  if (given === undefined || given === null) return { mode: 'auto' }
  if (typeof given === 'string') return { mode: given }
  if (given.type === 'allowed_tools') {
    const { mode = 'auto', tools = [] } = given.allowed_tools ?? given
    return { mode, among: tools.flatMap((tool) => nameOf(tool) ?? []) }
  }
  const name = nameOf(given)
  return name === undefined ? { mode: 'auto' } : { mode: 'required', among: [name] }
}

const answerSchemaOf = (request: ModelRequest): unknown => {
  const format = 'messages' in request ? chatFormatOf(request as ChatRequest) : request.text?.format
  if (format?.type === 'json_schema') return format.schema ?? anyObject
  return format?.type === 'json_object' ? anyObject : undefined
}

const chatFormatOf = ({ response_format: format }: ChatRequest) =>
  format && { type: format.type, schema: format.json_schema?.schema }

const anyObject = { type: 'object', properties: { answer: { type: 'string' } } }
