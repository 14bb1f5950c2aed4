import type { ToolCall } from '../wire/index.ts'

/** What a request to the model offers and demands, beside the conversation. */
export type Offer = Readonly<{
  model: string
  tools: readonly OfferedTool[]
  choice: ToolChoice
  /** The JSON Schema of the answer, where the request wants JSON. */
  answerSchema?: unknown
}>

/** A function in a request: its name, and the JSON Schema of its arguments. */
export type OfferedTool = Readonly<{ name: string; parameters?: unknown }>

/** Whether the model must call a tool, and the only tools it may call. Absent: every tool. */
export type ToolChoice = Readonly<{
  mode: 'none' | 'auto' | 'required'
  among?: readonly string[]
}>

/** Whether a reply with these calls is one that `tool_choice` allows. */
export const allowsCalls = ({ mode, among }: ToolChoice, calls: readonly ToolCall[]): boolean => {
  if (calls.length === 0) return mode !== 'required'
  return mode !== 'none' && calls.every(({ name }) => among?.includes(name) ?? true)
}
