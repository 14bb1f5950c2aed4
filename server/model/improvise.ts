import type { ToolCall, Turn } from '../wire/index.ts'
import { isRecord, minimalValue } from './minimal-value.ts'
import type { Offer, OfferedTool } from './offer.ts'

/**
 * The reply without a script: the model calls the first tool of the request once, with the simplest
 * arguments its schema allows, and then answers with the result. It begins anew with the next question
 * of the user, and after a handoff to other tools. Where the request demands a call, the model calls
 * the first tool that it has not called yet.
 */
export const improvise = (
  { tools, choice: { mode, among } }: Offer,
  turns: readonly Turn[],
): Readonly<{ text: string; calls: readonly ToolCall[] }> => {
  const asked = turns.findLast(({ role }) => role === 'user')?.text ?? ''
  const round = turns.slice(1 + turns.findLastIndex(isAnsweredBefore))
  const called = new Set(round.flatMap(({ calls = [] }) => calls.map(({ name }) => name)))
  const result = round.findLast(({ role }) => role === 'tool')
  const allowed = mode === 'none' ? [] : tools.filter(({ name }) => among?.includes(name) ?? true)
  const isNew = ({ name }: OfferedTool) => !called.has(name)
  const hasResult = result !== undefined && (called.size === 0 || !allowed.every(isNew))
  const tool =
    mode === 'required' ? (allowed.find(isNew) ?? allowed[0]) : hasResult ? undefined : allowed[0]
  if (tool !== undefined) {
    const value = minimalValue(tool.parameters, asked)
    return { text: '', calls: [{ name: tool.name, arguments: isRecord(value) ? value : {} }] }
  }
  return {
    text: result === undefined ? `You said: ${asked}` : `The tool answered: ${result.text}`,
    calls: [],
  }
}

/** Whether a turn is an answer of the model that the user has replied to. */
const isAnsweredBefore = ({ role, calls = [] }: Turn, at: number, turns: readonly Turn[]) =>
  role === 'assistant' && calls.length === 0 && turns[at + 1]?.role === 'user'
