import type { z } from 'zod'
import type { Tool } from './tool.ts'

type AiSdkTool<S extends z.ZodType> = Readonly<{
  description: string
  inputSchema: S
  execute: (input: z.output<S>, options: { abortSignal?: AbortSignal }) => Promise<string>
}>

type AiSdkTools<T extends Tools> = {
  -readonly [K in keyof T]: T[K] extends Tool<infer S> ? AiSdkTool<S> : never
}

type Tools = Readonly<Record<string, Tool>>

/**
 * Tools for the AI SDK (`ai`).
 * @example await generateText({ model, prompt, tools: aiSdkTools(documentTools({ fetch: jit.fetch }))
 * })
 */
export const aiSdkTools = <T extends Tools>(tools: T): AiSdkTools<T> =>
  Object.fromEntries(
    Object.entries(tools).map(([name, { description, inputSchema, execute }]) => [
      name,
      {
        description,
        inputSchema,
        execute: (input: unknown, { abortSignal: signal }: { abortSignal?: AbortSignal }) =>
          execute(input, signal ? { signal } : {}),
      },
    ]),
  ) as AiSdkTools<T>
