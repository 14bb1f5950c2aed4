import type { z } from 'zod'
import type { Tool } from './tool.ts'

/** `createTool` of `@mastra/core/tools`. */
type CreateTool<T> = (options: {
  id: string
  description: string
  inputSchema: z.ZodObject
  execute: (input: unknown, context?: { abortSignal?: AbortSignal }) => Promise<string>
}) => T

/**
 * Tools for Mastra, created by its own `createTool`.
 * @example new Agent({ id, name, model, tools: mastraTools(createTool, documentTools({ fetch: jit.fetch
 * })) })
 */
export const mastraTools = <T>(
  createTool: CreateTool<T>,
  tools: Readonly<Record<string, Tool>>,
): Record<string, T> =>
  Object.fromEntries(
    Object.values(tools).map(({ name, description, inputSchema, execute }) => [
      name,
      createTool({
        id: name,
        description,
        inputSchema: inputSchema as z.ZodObject,
        execute: (input, { abortSignal: signal } = {}) => execute(input, signal ? { signal } : {}),
      }),
    ]),
  )
