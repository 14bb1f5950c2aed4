import { z } from 'zod'

/**
 * A tool call of the model. In texts, `${tool_result}` is the tool results since the model's last turn,
 * and `${tool_result.id}` that member of the newest result that has one.
 */
export const ToolCall = z.strictObject({
  name: z.string().min(1).describe('The name of the tool.'),
  arguments: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Its arguments. Texts may contain tool results, as in `say`.'),
})
export type ToolCall = z.infer<typeof ToolCall>

const Texts = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
  error: 'expected a text, or a list of texts that must all occur',
})

/** When a reply matches: every given condition must hold. */
export const ReplyCondition = z
  .strictObject({
    tool_result_contains: Texts.optional().describe(
      'Texts in a tool result since the model’s last turn.',
    ),
    last_message_contains: Texts.optional().describe('Texts in the last message.'),
    conversation_contains: Texts.optional().describe(
      'Texts in any message, the system prompt included.',
    ),
    offers: Texts.optional().describe('Tools that the request offers.'),
    model: z.string().min(1).optional().describe('The model that the request names.'),
    turn: z
      .int()
      .positive()
      .optional()
      .describe('Number of this turn of the model in the conversation, from 1.'),
  })
  .refine((when) => Object.keys(when).length > 0, { error: 'expected at least one condition' })
export type ReplyCondition = z.infer<typeof ReplyCondition>

/** One turn of the model: text, tool calls (several run in parallel), or both. */
export const ModelReply = z
  .strictObject({
    when: ReplyCondition.optional().describe(
      'When the reply matches: every given condition must hold. Absent: always.',
    ),
    say: z.string().min(1).optional().describe('The text of the reply.'),
    call: z
      .union([ToolCall, z.array(ToolCall).min(1).max(64)])
      .optional()
      .describe('One tool call, or several in parallel.'),
    repeat: z
      .boolean()
      .default(false)
      .describe('Whether the reply may be used more than once in a conversation.'),
  })
  .refine(({ say, call }) => say !== undefined || call !== undefined, {
    error: 'expected say, call or both',
  })
export type ModelReply = z.infer<typeof ModelReply>

/**
 * The replies of a scripted model: it sends the first one that matches and was not yet used in the
 * conversation. The model keeps no state, so the same conversation always gets the same answer.
 */
export const ModelScript = z
  .strictObject({
    models: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('The only model names it accepts. Absent: any.'),
    replies: z
      .array(ModelReply)
      .min(1)
      .max(1000)
      .describe('The replies, of which the first that matches and was not used yet is sent.'),
  })
  .meta({ id: 'ModelScript' })
export type ModelScript = z.infer<typeof ModelScript>

/** Body of `PUT …/model`: the script, or the text of a YAML file, whose errors are reported by line. */
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

/** How a tenant's agents reach its model: by OpenAI's API, and by Gemini's with the same key. */
export const ModelAccess = z.object({
  base_url: z.url(),
  gemini_base_url: z.url(),
  api_key: z.string(),
})
export type ModelAccess = z.infer<typeof ModelAccess>

/** The environment variables by which the clients of OpenAI and of Google find the model. */
export const modelEnvironment = (model: ModelAccess) => ({
  OPENAI_BASE_URL: model.base_url,
  OPENAI_API_KEY: model.api_key,
  GOOGLE_GEMINI_BASE_URL: model.gemini_base_url,
  GOOGLE_API_KEY: model.api_key,
})

/** One message of a conversation, in a form common to all APIs. */
export const Turn = z
  .object({
    role: z.enum(['system', 'user', 'assistant', 'tool']),
    text: z.string(),
    calls: z.array(z.object({ id: z.string(), ...ToolCall.shape })).optional(),
    call_id: z.string().optional(),
  })
  .meta({ id: 'Turn' })
export type Turn = z.infer<typeof Turn>

/** A secret in a conversation, and its turn; -1: in the descriptions of the tools. */
export const Leak = z.object({ turn: z.int(), kind: z.enum(['jwt', 'client_secret']) })
export type Leak = z.infer<typeof Leak>

/** One request to the scripted model and its answer, with tokens and secrets masked. */
export const ModelConversation = z
  .object({
    seq: z.int().positive(),
    at: z.number(),
    api: z.enum(['chat', 'responses', 'gemini']),
    model: z.string(),
    stream: z.boolean(),
    /** The messages of the request, oldest first. */
    turns: z.array(Turn),
    tools: z.array(z.string()),
    /** Parameters that the script ignored. */
    ignored: z.array(z.string()),
    reply: Turn.optional(),
    /** Why there was no reply. */
    error: z.string().optional(),
    usage: z.object({ input: z.int(), output: z.int() }),
    leaks: z.array(Leak),
  })
  .meta({ id: 'ModelConversation' })
export type ModelConversation = z.infer<typeof ModelConversation>

/** One page of recorded conversations. */
export const ModelConversations = z
  .object({
    conversations: z.array(ModelConversation),
    next: z.int().nonnegative(),
    forgotten: z.int().nonnegative(),
    /** Whether there are conversations after `next`. */
    more: z.boolean().optional(),
  })
  .meta({ id: 'ModelConversations' })
export type ModelConversations = z.infer<typeof ModelConversations>

const Content = z.union([
  z.string(),
  z.null(),
  z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
])

const RequestedTool = z.looseObject({
  type: z.string().optional(),
  name: z.string().optional(),
  parameters: z.unknown().optional(),
  function: z.looseObject({ name: z.string(), parameters: z.unknown().optional() }).optional(),
  custom: z.looseObject({ name: z.string() }).optional(),
})
/** A tool of a model request. Chat completions nest its members below its type; responses do not. */
export type RequestedTool = z.infer<typeof RequestedTool>

const AllowedTools = z.looseObject({
  mode: z.enum(['auto', 'required']),
  tools: z.array(RequestedTool),
})

const RequestedChoice = z.union(
  [
    z.enum(['none', 'auto', 'required']),
    RequestedTool.extend({ type: z.string(), allowed_tools: AllowedTools.optional() }).extend(
      AllowedTools.partial().shape,
    ),
  ],
  { error: 'expected "none", "auto", "required" or an object, such as {"type":"function",…}' },
)

const AnswerFormat = z.looseObject({ type: z.string() })

/** Body of `POST …/chat/completions`, limited to the members a script can use. */
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
  tools: z.array(RequestedTool).nullish(),
  tool_choice: RequestedChoice.nullish(),
  response_format: AnswerFormat.extend({
    json_schema: z.looseObject({ schema: z.unknown().optional() }).optional(),
  }).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
})
export type ChatRequest = z.infer<typeof ChatRequest>

/** Body of `POST …/responses`, limited to the members a script can use. */
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
  tools: z.array(RequestedTool).nullish(),
  tool_choice: RequestedChoice.nullish(),
  text: z
    .looseObject({ format: AnswerFormat.extend({ schema: z.unknown().optional() }).nullish() })
    .nullish(),
  stream: z.boolean().nullish(),
})
export type ResponsesRequest = z.infer<typeof ResponsesRequest>

/** One model, as OpenAI's API describes it. */
export const ModelInfo = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
})

/** Answer of `GET …/models`. */
export const ModelList = z.object({ object: z.literal('list'), data: z.array(ModelInfo) })

/** Whether a path belongs to the scripted model. */
export const isModelPath = (path: string) => /^\/+_harness\/(?:tenants\/[^/]+\/)?llm\//.test(path)
