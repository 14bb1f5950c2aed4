import { z } from 'zod'
import type { Tool } from './tool.ts'

/** `tool` of `@openai/agents`. */
type MakeTool<T> = (options: {
  name: string
  description: string
  /** OpenAI's strict mode does not allow optional members, and some of our tools have them. */
  strict: false
  parameters: JsonObjectSchema
  execute: (
    input: unknown,
    context?: unknown,
    details?: { signal?: AbortSignal },
  ) => Promise<string>
}) => T

type JsonObjectSchema = {
  type: 'object'
  properties: Record<string, never>
  required: string[]
  additionalProperties: true
}

/**
 * Tools for OpenAI's Agents SDK, created by its own `tool`.
 * @example const agent = new Agent({ name, tools: openaiAgentsTools(tool, documentTools({ fetch:
 * jit.fetch })) })
 */
export const openaiAgentsTools = <T>(
  tool: MakeTool<T>,
  tools: Readonly<Record<string, Tool>>,
): T[] =>
  Object.values(tools).map(({ name, description, inputSchema, execute }) =>
    tool({
      name,
      description,
      strict: false,
      parameters: parametersOf(inputSchema),
      execute: (input, _context, { signal } = {}) => execute(input, signal ? { signal } : {}),
    }),
  )

/** A copy, because the SDK modifies what zod returns for its own kind of schema. */
const parametersOf = (schema: z.ZodType): JsonObjectSchema => ({
  ...(z.toJSONSchema(schema, { io: 'input' }) as unknown as JsonObjectSchema),
})
