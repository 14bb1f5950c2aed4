import { z } from 'zod'

/**
 * A tool the model asks for. In texts, `${tool_result}` is what tools have answered since
 * the model last spoke, and `${tool_result.id}` that member of the newest result that has one.
 */
export const ToolCall = z.strictObject({
  name: z.string().min(1),
  arguments: z.record(z.string(), z.unknown()).default({}),
})
export type ToolCall = z.infer<typeof ToolCall>

const Texts = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
  error: 'expected a text, or a list of texts that all have to be there',
})

/** When a reply fits: everything named has to hold. */
export const ReplyCondition = z
  .strictObject({
    /** In a result that came since the model last spoke. */
    tool_result_contains: Texts.optional(),
    last_message_contains: Texts.optional(),
    /** Anywhere, the system prompt included. */
    conversation_contains: Texts.optional(),
    /** Tools the request offers. */
    offers: Texts.optional(),
    model: z.string().min(1).optional(),
    /** Which turn of the model in the conversation this would be, from 1. */
    turn: z.int().positive().optional(),
  })
  .refine((when) => Object.keys(when).length > 0, { error: 'expected at least one condition' })
export type ReplyCondition = z.infer<typeof ReplyCondition>

/** One turn of the model: words, tool calls (several at once run in parallel), or both. */
export const ModelReply = z
  .strictObject({
    when: ReplyCondition.optional(),
    say: z.string().min(1).optional(),
    call: z.union([ToolCall, z.array(ToolCall).min(1).max(64)]).optional(),
    /** May be given again in the same conversation. */
    repeat: z.boolean().default(false),
  })
  .refine(({ say, call }) => say !== undefined || call !== undefined, {
    error: 'expected say, call or both',
  })
export type ModelReply = z.infer<typeof ModelReply>

/**
 * What a scripted model says: the first reply that fits and was not yet given in the conversation.
 * It remembers nothing, so the same conversation is always answered the same.
 */
export const ModelScript = z
  .strictObject({
    /** The only names it answers to; absent: any. */
    models: z.array(z.string().min(1)).min(1).optional(),
    replies: z.array(ModelReply).min(1).max(1000),
  })
  .meta({ id: 'ModelScript' })
export type ModelScript = z.infer<typeof ModelScript>

/** `PUT …/model`: the script itself, or the text of its file, so that mistakes are told by line. */
export const SetModelScript = z
  .union(
    [
      z.strictObject({ yaml: z.string().min(1), file: z.string().min(1).default('script.yaml') }),
      ModelScript,
    ],
    { error: 'expected {"replies": […]} or {"yaml": text}' },
  )
  .meta({ id: 'SetModelScript' })
export type SetModelScript = z.infer<typeof SetModelScript>

/** How a tenant's agents reach its model: what `OPENAI_BASE_URL` and `OPENAI_API_KEY` want. */
export const ModelAccess = z.object({ base_url: z.url(), api_key: z.string() })
export type ModelAccess = z.infer<typeof ModelAccess>

/** One message of a conversation, whichever API it came by. */
export const Turn = z
  .object({
    role: z.enum(['system', 'user', 'assistant', 'tool']),
    text: z.string(),
    calls: z.array(z.object({ id: z.string(), ...ToolCall.shape })).optional(),
    call_id: z.string().optional(),
  })
  .meta({ id: 'Turn' })
export type Turn = z.infer<typeof Turn>

/** Something the model should never have seen, and in which turn; -1: in the tools' descriptions. */
export const Leak = z.object({ turn: z.int(), kind: z.enum(['jwt', 'client_secret']) })
export type Leak = z.infer<typeof Leak>

/** One request of the scripted model and its answer, tokens and secrets masked. */
export const ModelConversation = z
  .object({
    seq: z.int().positive(),
    at: z.number(),
    api: z.enum(['chat', 'responses']),
    model: z.string(),
    stream: z.boolean(),
    /** What the model was told, oldest first. */
    turns: z.array(Turn),
    tools: z.array(z.string()),
    /** Parameters that made no difference here. */
    ignored: z.array(z.string()),
    reply: Turn.optional(),
    /** Why there was none. */
    error: z.string().optional(),
    usage: z.object({ input: z.int(), output: z.int() }),
    leaks: z.array(Leak),
  })
  .meta({ id: 'ModelConversation' })
export type ModelConversation = z.infer<typeof ModelConversation>

export const ModelConversations = z
  .object({
    conversations: z.array(ModelConversation),
    next: z.int().nonnegative(),
    forgotten: z.int().nonnegative(),
    /** There is more after `next`. */
    more: z.boolean().optional(),
  })
  .meta({ id: 'ModelConversations' })
export type ModelConversations = z.infer<typeof ModelConversations>

const Content = z.union([
  z.string(),
  z.null(),
  z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
])

/** `POST …/chat/completions`, as far as a script can make use of it. */
export const ChatRequest = z.looseObject({
  model: z.string(),
  messages: z
    .array(
      z.looseObject({
        role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
        content: Content.optional(),
        tool_calls: z
          .array(
            z.looseObject({
              id: z.string(),
              function: z.looseObject({ name: z.string(), arguments: z.string() }),
            }),
          )
          .nullish(),
        tool_call_id: z.string().optional(),
      }),
    )
    .min(1),
  tools: z
    .array(z.looseObject({ function: z.looseObject({ name: z.string() }).optional() }))
    .nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
})
export type ChatRequest = z.infer<typeof ChatRequest>

/** `POST …/responses`, as far as a script can make use of it. */
export const ResponsesRequest = z.looseObject({
  model: z.string(),
  instructions: z.string().nullish(),
  input: z.union([
    z.string(),
    z.array(
      z.looseObject({
        type: z.string().optional(),
        role: z.enum(['system', 'developer', 'user', 'assistant']).optional(),
        content: Content.optional(),
        id: z.string().nullish(),
        call_id: z.string().optional(),
        name: z.string().optional(),
        arguments: z.string().optional(),
        output: Content.optional(),
      }),
    ),
  ]),
  previous_response_id: z.string().nullish(),
  tools: z.array(z.looseObject({ name: z.string().optional() })).nullish(),
  stream: z.boolean().nullish(),
})
export type ResponsesRequest = z.infer<typeof ResponsesRequest>

export const ModelInfo = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
})

export const ModelList = z.object({ object: z.literal('list'), data: z.array(ModelInfo) })

/** Whether a path leads to the scripted model. */
export const isModelPath = (path: string) => /^\/+_harness\/(?:tenants\/[^/]+\/)?llm\//.test(path)
