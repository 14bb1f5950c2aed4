import { responseId } from '../../model/ids.ts'
import { type Answer, ok } from '../message.ts'
import { eventStream, type ModelAnswer, pieces } from './model-answer.ts'

type Part = Readonly<Record<string, unknown>>

/** The answer of `generateContent`. */
export const geminiAnswer = (answer: ModelAnswer): Record<string, unknown> => {
  const { text } = answer.turn
  return frame(answer, [...(text === '' ? [] : [{ text }]), ...callsOf(answer)], 'STOP')
}

/** The answer of `streamGenerateContent`: events, or one JSON list. */
export const geminiStream = (answer: ModelAnswer, asEvents: boolean): Answer => {
  const parts = [...pieces(answer.turn.text).map((text) => ({ text })), ...callsOf(answer)]
  const last = parts.pop() ?? { text: '' }
  // The last chunk has a part of its own: clients drop a stream that has an empty one.
  const chunks = [...parts.map((part) => frame(answer, [part])), frame(answer, [last], 'STOP')]
  if (!asEvents) return ok(chunks)
  return eventStream(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}`))
}

const callsOf = ({ turn: { calls = [] } }: ModelAnswer): Part[] =>
  calls.map(({ id, name, arguments: args }) => ({ functionCall: { id, name, args } }))

const frame = (
  { seq, model, usage: { input, output } }: ModelAnswer,
  parts: readonly Part[],
  finishReason?: 'STOP',
) => ({
  candidates: [
    { content: { role: 'model', parts }, ...(finishReason ? { finishReason } : {}), index: 0 },
  ],
  usageMetadata: {
    promptTokenCount: input,
    candidatesTokenCount: output,
    totalTokenCount: input + output,
  },
  modelVersion: model,
  responseId: responseId(seq),
})

/** Writes an error in Gemini's form (AIP-193), as Google's clients expect. */
export const geminiError = ({ status, body }: Answer): Answer => {
  const { error, message } = body as Readonly<Record<string, unknown>>
  const details = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: String(error).toUpperCase(),
      domain: 'lumoauth-harness',
    },
  ]
  const name = statusNames[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL')
  return { status, body: { error: { code: status, message, status: name, details } } }
}

/** The names of Google's statuses, where they differ from that of their class. */
const statusNames: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
}
