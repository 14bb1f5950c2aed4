import { z } from 'zod'
import { inCamelCase } from './camel-case.ts'

/**
 * A message of Google's APIs: its members may be named in camelCase or in snake_case. It is parsed to
 * camelCase.
 */
const message = <S extends z.ZodRawShape>(shape: S) =>
  z.preprocess(inCamelCase, z.looseObject(shape))

const Json = z.record(z.string(), z.unknown()).nullish()

const GeminiPart = message({
  text: z.string().nullish(),
  /** Whether the text is a summary of the model's thoughts, and no part of its answer. */
  thought: z.boolean().nullish(),
  functionCall: message({ id: z.string().nullish(), name: z.string(), args: Json }).nullish(),
  functionResponse: message({
    id: z.string().nullish(),
    name: z.string(),
    response: Json,
  }).nullish(),
})
/** One part of a content: text, a function call, its result, or what the model ignores. */
export type GeminiPart = z.infer<typeof GeminiPart>

const GeminiContent = message({
  role: z.enum(['user', 'model', 'function', 'tool']).nullish(),
  parts: z.array(GeminiPart).nullish(),
})
/** One message of a conversation, as Gemini's API describes it. */
export type GeminiContent = z.infer<typeof GeminiContent>

const GeminiTool = message({
  functionDeclarations: z
    .array(
      message({
        name: z.string(),
        /** In Gemini's form: types in upper case. */
        parameters: z.unknown().optional(),
        /** In JSON Schema. */
        parametersJsonSchema: z.unknown().optional(),
      }),
    )
    .nullish(),
})

/** Body of `POST …/models/{model}:generateContent`, limited to the members a script can use. */
export const GeminiRequest = message({
  contents: z.array(GeminiContent).min(1),
  systemInstruction: GeminiContent.nullish(),
  tools: z.array(GeminiTool).nullish(),
  toolConfig: message({
    functionCallingConfig: message({
      mode: z.enum(['MODE_UNSPECIFIED', 'AUTO', 'ANY', 'NONE', 'VALIDATED']).nullish(),
      allowedFunctionNames: z.array(z.string()).nullish(),
    }).nullish(),
  }).nullish(),
  generationConfig: message({
    responseMimeType: z.string().nullish(),
    /** In Gemini's form: types in upper case. */
    responseSchema: z.unknown().optional(),
    /** In JSON Schema. */
    responseJsonSchema: z.unknown().optional(),
  }).nullish(),
})
export type GeminiRequest = z.infer<typeof GeminiRequest>

/**
 * Query of a call of Gemini's API. Without `alt=sse`, the chunks of a stream are one JSON list. An empty
 * parameter counts as omitted.
 */
export const GeminiQuery = z.looseObject({ alt: z.enum(['json', 'sse', '']).optional() })

/** Answer of `generateContent`, and one chunk of a stream. */
export const GeminiAnswer = z.looseObject({
  candidates: z.array(z.looseObject({ index: z.int(), finishReason: z.string().optional() })),
  usageMetadata: z.looseObject({ promptTokenCount: z.int(), totalTokenCount: z.int() }),
  modelVersion: z.string(),
  responseId: z.string(),
})
