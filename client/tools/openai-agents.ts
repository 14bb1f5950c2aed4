import { z } from 'zod'
import type { Tool } from './tool.ts'

/** `tool` of `@openai/agents`. */
type MakeTool<T> = (options: {
  name: string
  description: string
  /** OpenAI's strict mode knows no optional members, and some of our tools have them. */
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
 * Tools as OpenAI's Agents SDK takes them, made by its own `tool`.
 *
 * @example
 * const agent = new Agent({ name, tools: openaiAgentsTools(tool, documentTools({ fetch: jit.fetch })) })
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

/** A copy, since the SDK takes what zod returns for a schema of its own kind. */
const parametersOf = (schema: z.ZodType): JsonObjectSchema => ({
  ...(z.toJSONSchema(schema, { io: 'input' }) as unknown as JsonObjectSchema),
})
