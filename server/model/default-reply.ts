import type { ModelReply, ModelScript, ToolCall, Turn } from '../wire/index.ts'
import { improvise } from './improvise.ts'
import { fitArguments, minimalValue } from './minimal-value.ts'
import { allowsCalls, type Offer } from './offer.ts'
import { nextReply } from './script.ts'
import { usualScript } from './scripted-model.ts'

/**
 * The reply of a model without a script of its own: by the default script, where that has one which
 * `tool_choice` allows; otherwise improvised. Calls have the arguments that the offered tools take,
 * and an answer is JSON where the request demands it.
 */
export const defaultReply = (
  offer: Offer,
  turns: readonly Turn[],
): Readonly<{ text: string; calls: readonly ToolCall[] }> => {
  const script = fitToTools(usualScript(), offer, turns)
  const tools = offer.tools.map(({ name }) => name)
  const scripted = nextReply(script, { model: offer.model, tools, turns })
  const isImprovised =
    'unforeseen' in scripted ||
    hasForeignCall(script, turns) ||
    !allowsCalls(offer.choice, scripted.calls)
  const { text, calls } = isImprovised ? improvise(offer, turns) : scripted
  if (calls.length > 0 || offer.answerSchema === undefined) return { text, calls }
  return { text: JSON.stringify(minimalValue(offer.answerSchema, text)), calls }
}

/**
 * The script with the arguments that the offered tools take. Uses the first question, so that a call
 * stays the same in the whole conversation and is recognized as used.
 */
const fitToTools = (script: ModelScript, { tools }: Offer, turns: readonly Turn[]): ModelScript => {
  const asked = turns.find(({ role }) => role === 'user')?.text ?? ''
  const fitCall = (call: ToolCall): ToolCall => {
    const tool = tools.find(({ name }) => name === call.name)
    return tool
      ? { ...call, arguments: fitArguments(tool.parameters, call.arguments, asked) }
      : call
  }
  const fitReply = (reply: ModelReply): ModelReply =>
    reply.call === undefined
      ? reply
      : {
          ...reply,
          call: Array.isArray(reply.call) ? reply.call.map(fitCall) : fitCall(reply.call),
        }
  return { ...script, replies: script.replies.map(fitReply) }
}

/**
 * Whether the model has called a tool that the script does not use: then the improvised replies
 * continue.
 */
const hasForeignCall = ({ replies }: ModelScript, turns: readonly Turn[]): boolean => {
  const known = new Set(replies.flatMap(({ call = [] }) => [call].flat()).map(({ name }) => name))
  return turns.some(({ calls = [] }) => calls.some(({ name }) => !known.has(name)))
}
