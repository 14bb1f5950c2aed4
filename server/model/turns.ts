import type {
  ChatRequest,
  GeminiContent,
  GeminiPart,
  GeminiRequest,
  ResponsesRequest,
  ToolCall,
  Turn,
} from '../wire/index.ts'
import { readJson } from '../wire/json.ts'

/** The turns of a chat request: one per message. */
export const turnsOfChat = ({ messages }: ChatRequest): Turn[] =>
  messages.map(({ role, content, tool_calls, tool_call_id }) => ({
    role: roles[role],
    text: textOf(content),
    ...(tool_calls?.length
      ? {
          calls: tool_calls.map(({ id, function: { name, arguments: json } }) => ({
            id,
            name,
            arguments: argumentsOf(json),
          })),
        }
      : {}),
    ...(tool_call_id === undefined ? {} : { call_id: tool_call_id }),
  }))

/**
 * The turns of a responses request. Consecutive items of the model form one turn. `known` resolves
 * references to earlier items.
 */
export const turnsOfResponses = (
  { instructions, input }: ResponsesRequest,
  known: (itemId: string) => Turn | undefined,
): Turn[] => {
  const groups: Turn[][] = instructions ? [[{ role: 'system', text: instructions }]] : []
  const items = typeof input === 'string' ? [{ role: 'user' as const, content: input }] : input
  for (const item of items) {
    const turn = turnOfItem(item, known)
    if (turn === undefined) continue
    const group = groups.at(-1)
    if (turn.role === 'assistant' && group?.[0]?.role === 'assistant') group.push(turn)
    else groups.push([turn])
  }
  return groups.map(joinTurns)
}

/**
 * The turns of a Gemini request. Consecutive contents of the model form one turn, because clients keep
 * each chunk of a stream as a content. Each tool result is a turn; one without an id belongs to the first
 * call of its function.
 */
export const turnsOfGemini = ({ systemInstruction, contents }: GeminiRequest): Turn[] => {
  const open = new Map<string, string[]>()
  let calls = 0
  const callOf = ({ functionCall: call }: GeminiPart): NonNullable<Turn['calls']> => {
    if (!call) return []
    calls += 1
    const id = call.id ?? `call_${calls}`
    const same = open.get(call.name)
    if (same) same.push(id)
    else open.set(call.name, [id])
    return [{ id, name: call.name, arguments: call.args ?? {} }]
  }
  const resultOf = ({ functionResponse: given }: GeminiPart): Turn[] => {
    if (!given) return []
    const id = given.id ?? open.get(given.name)?.shift()
    const text = JSON.stringify(given.response ?? {})
    return [{ role: 'tool', text, ...(id === undefined ? {} : { call_id: id }) }]
  }
  const turns = joinContents(contents).flatMap(({ role, parts }): Turn[] => {
    if (role === 'model') {
      const called = parts.flatMap(callOf)
      const text = textsIn(parts).join('')
      return [{ role: 'assistant', text, ...(called.length > 0 ? { calls: called } : {}) }]
    }
    const results = parts.flatMap(resultOf)
    const isAnswered = results.length > 0 && results.length === parts.length
    const text = textsIn(parts).join('\n')
    return [...results, ...(isAnswered ? [] : [{ role: 'user' as const, text }])]
  })
  const system = textsIn(systemInstruction?.parts ?? []).join('\n')
  return systemInstruction ? [{ role: 'system', text: system }, ...turns] : turns
}

type Joined = Readonly<{ role: GeminiContent['role']; parts: GeminiPart[] }>

const joinContents = (contents: readonly GeminiContent[]): readonly Joined[] => {
  const joined: Joined[] = []
  for (const { role, parts } of contents) {
    const last = joined.at(-1)
    if (role === 'model' && last?.role === 'model') last.parts.push(...(parts ?? []))
    else joined.push({ role, parts: [...(parts ?? [])] })
  }
  return joined
}

const textsIn = (parts: readonly GeminiPart[]): string[] =>
  parts.flatMap(({ text, thought }) => (thought ? [] : (text ?? [])))

const roles = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
  function: 'tool',
} as const

type Item = Exclude<ResponsesRequest['input'], string>[number]

const turnOfItem = (item: Item, known: (itemId: string) => Turn | undefined): Turn | undefined => {
  switch (item.type ?? 'message') {
    case 'message':
      return { role: roles[item.role ?? 'user'], text: textOf(item.content) }
    case 'function_call': {
      const { call_id: id = '', name = '', arguments: json = '' } = item
      return { role: 'assistant', text: '', calls: [{ id, name, arguments: argumentsOf(json) }] }
    }
    case 'function_call_output':
      return { role: 'tool', text: textOf(item.output), call_id: item.call_id ?? '' }
    case 'item_reference':
      return known(item.id ?? '')
    default:
      return undefined
  }
}

/** Joins consecutive turns of the model into one; other turns stay separate. */
const joinTurns = (group: readonly Turn[]): Turn => {
  const [first] = group
  if (first !== undefined && group.length === 1) return first
  const calls = group.flatMap((turn) => turn.calls ?? [])
  return {
    role: 'assistant',
    text: group.flatMap(({ text }) => text || []).join('\n'),
    ...(calls.length > 0 ? { calls } : {}),
  }
}

type Content = ChatRequest['messages'][number]['content']

const textOf = (content: Content): string =>
  typeof content === 'string' ? content : (content ?? []).map(({ text = '' }) => text).join('\n')

/** The arguments of a model may be invalid JSON; then the text itself is kept. */
const argumentsOf = (json: string): ToolCall['arguments'] => {
  try {
    const value: unknown = json === '' ? {} : readJson(json)
    return typeof value === 'object' && value !== null ? { ...value } : { value }
  } catch {
    return { unreadable: json }
  }
}
