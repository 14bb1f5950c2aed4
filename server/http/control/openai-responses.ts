import { functionCallId, messageId, padded, responseId } from '../../model/ids.ts'
import type { Turn } from '../../wire/index.ts'
import type { Answer } from '../message.ts'
import { eventStream, type ModelAnswer, pieces } from './model-answer.ts'

/** A chat completion as one JSON object. */
export const chatCompletion = (answer: ModelAnswer): Record<string, unknown> => ({
  ...chatFrame(answer, 'chat.completion'),
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: answer.turn.text || null,
        refusal: null,
        annotations: [],
        ...(answer.turn.calls ? { tool_calls: answer.turn.calls.map(chatCall) } : {}),
      },
      logprobs: null,
      finish_reason: finishReason(answer),
    },
  ],
  usage: chatUsage(answer),
})

/** A chat completion as server-sent events. */
export const chatStream = (answer: ModelAnswer, withUsage: boolean): Answer => {
  const frame = chatFrame(answer, 'chat.completion.chunk')
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...frame,
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    ...(withUsage ? { usage: null } : {}),
  })
  const { text, calls = [] } = answer.turn
  const events = [
    chunk({ role: 'assistant', content: text === '' ? null : '', refusal: null }),
    ...pieces(text).map((content) => chunk({ content })),
    ...calls.flatMap((call, index) => {
      const whole = chatCall(call)
      const { name, arguments: json } = whole.function
      return [
        chunk({ tool_calls: [{ index, ...whole, function: { name, arguments: '' } }] }),
        ...pieces(json).map((piece) =>
          chunk({ tool_calls: [{ index, function: { arguments: piece } }] }),
        ),
      ]
    }),
    chunk({}, finishReason(answer)),
    ...(withUsage ? [{ ...frame, choices: [], usage: chatUsage(answer) }] : []),
  ]
  return eventStream([...events.map((event) => `data: ${JSON.stringify(event)}`), 'data: [DONE]'])
}

const chatFrame = ({ seq, at, model }: ModelAnswer, object: string) => ({
  id: `chatcmpl-${padded(seq)}`,
  object,
  created: Math.floor(at),
  model,
  service_tier: 'default',
  system_fingerprint: 'fp_scripted',
})

const chatCall = ({ id, name, arguments: args }: NonNullable<Turn['calls']>[number]) => ({
  id,
  type: 'function' as const,
  function: { name, arguments: JSON.stringify(args) },
})

const finishReason = ({ turn }: ModelAnswer) => (turn.calls ? 'tool_calls' : 'stop')

const chatUsage = ({ usage: { input, output } }: ModelAnswer) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
})

/** A response as one JSON object. */
export const modelResponse = (answer: ModelAnswer): Record<string, unknown> => ({
  ...responseFrame(answer),
  status: 'completed',
  completed_at: Math.floor(answer.at),
  output: outputItems(answer),
  usage: responsesUsage(answer),
})

/** A response as server-sent events. */
export const responseStream = (answer: ModelAnswer): Answer => {
  const begun = { ...responseFrame(answer), status: 'in_progress', output: [], usage: null }
  const events = [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    ...outputItems(answer).flatMap(itemEvents),
    { type: 'response.completed', response: modelResponse(answer) },
  ]
  return eventStream(
    events.map(
      (event, sequence_number) =>
        `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number })}`,
    ),
  )
}

const responseFrame = ({ seq, at, model }: ModelAnswer) => ({
  id: responseId(seq),
  object: 'response',
  created_at: Math.floor(at),
  background: false,
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  model,
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  service_tier: 'default',
  store: true,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
  user: null,
})

type OutputItem = Readonly<{ id: string; status: string }> &
  (
    | Readonly<{ type: 'message'; role: 'assistant'; content: readonly [OutputText] }>
    | Readonly<{ type: 'function_call'; call_id: string; name: string; arguments: string }>
  )

type OutputText = Readonly<{
  type: 'output_text'
  text: string
  annotations: readonly []
  logprobs: readonly []
}>

type StreamEvent = Readonly<{ type: string; [member: string]: unknown }>

const outputItems = ({ seq, turn: { text, calls = [] } }: ModelAnswer): readonly OutputItem[] => [
  ...(text === ''
    ? []
    : [
        {
          type: 'message' as const,
          id: messageId(seq),
          status: 'completed',
          role: 'assistant' as const,
          content: [{ type: 'output_text', text, annotations: [], logprobs: [] }] as const,
        },
      ]),
  ...calls.map(({ id: call_id, name, arguments: args }, at) => ({
    type: 'function_call' as const,
    id: functionCallId(seq, at),
    call_id,
    name,
    arguments: JSON.stringify(args),
    status: 'completed',
  })),
]

const itemEvents = (item: OutputItem, output_index: number): readonly StreamEvent[] => {
  const at = { item_id: item.id, output_index }
  const begun = { ...item, status: 'in_progress' }
  const [added, done] = ['response.output_item.added', 'response.output_item.done']
  if (item.type === 'function_call') {
    const { arguments: json } = item
    const type = 'response.function_call_arguments'
    return [
      { type: added, output_index, item: { ...begun, arguments: '' } },
      ...pieces(json).map((delta) => ({ type: `${type}.delta`, ...at, delta })),
      { type: `${type}.done`, ...at, arguments: json },
      { type: done, output_index, item },
    ]
  }
  const [part] = item.content
  const within = { ...at, content_index: 0 }
  return [
    { type: added, output_index, item: { ...begun, content: [] } },
    { type: 'response.content_part.added', ...within, part: { ...part, text: '' } },
    ...pieces(part.text).map((delta) => ({
      type: 'response.output_text.delta',
      ...within,
      delta,
      logprobs: [],
    })),
    { type: 'response.output_text.done', ...within, text: part.text, logprobs: [] },
    { type: 'response.content_part.done', ...within, part },
    { type: done, output_index, item },
  ]
}

const responsesUsage = ({ usage: { input, output } }: ModelAnswer) => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: input + output,
})
