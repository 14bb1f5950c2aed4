import type { z } from 'zod'
import type { Tool } from './tool.ts'

/** `tool` of `@langchain/core/tools`. */
type MakeTool<T> = (
  run: (input: unknown, config?: { signal?: AbortSignal }) => Promise<string>,
  fields: { name: string; description: string; schema: z.ZodObject },
) => T

/**
 * Tools for LangChain.js and LangGraph, created by LangChain's own `tool`.
 * @example const tools = langchainTools(tool, documentTools({ fetch: jit.fetch }))
 */
export const langchainTools = <T>(tool: MakeTool<T>, tools: Readonly<Record<string, Tool>>): T[] =>
  Object.values(tools).map(({ name, description, inputSchema, execute }) =>
    tool((input, { signal } = {}) => execute(input, signal ? { signal } : {}), {
      name,
      description,
      schema: inputSchema as z.ZodObject,
    }),
  )
