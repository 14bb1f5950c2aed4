import type { z } from 'zod'
import { systemSleep } from '../time.ts'
import type { Tool, ToolResult } from './tool.ts'

/** What is needed of an `McpServer` of `@modelcontextprotocol/sdk`. */
type Registering = Readonly<{
  registerTool(
    name: string,
    config: { description: string; inputSchema: z.ZodObject },
    answer: (input: Record<string, unknown>) => Promise<CallToolResult>,
  ): unknown
  server: Readonly<{
    getClientCapabilities(): { elicitation?: { url?: object | undefined } | undefined } | undefined
    createElicitationCompletionNotifier(elicitationId: string): () => Promise<void>
  }>
}>

type CallToolResult = { content: { type: 'text'; text: string }[]; isError?: boolean }

type Elicitation = { mode: 'url'; elicitationId: string; url: string; message: string }

/** How a client learns that a person has to approve, and where. */
export type StepUp = Readonly<{
  /** Where a person approves, such as `${LUMOAUTH_URL}/console/${LUMOAUTH_TENANT}`. */
  url: string
  /** `UrlElicitationRequiredError` of `@modelcontextprotocol/sdk/types.js`. */
  error: new (
    elicitations: Elicitation[],
    message?: string,
  ) => Error
  /** Seconds after which a call is taken to wait for a person. Default 2. */
  patience?: number
}>

/**
 * Registers tools with an MCP server, whatever its transport.
 *
 * With `stepUp`, a call that waits for a person is answered with the error -32042 and the page to
 * approve on (MCP 2025-11-25, URL mode elicitation), if the client knows what to do with it. It goes
 * on waiting meanwhile: the same call, made again, gets its result. Other clients wait.
 *
 * @example
 * registerMcpTools(server, documentTools({ fetch: jit.fetch }))
 */
export const registerMcpTools = (
  server: Registering,
  tools: Readonly<Record<string, Tool>>,
  { stepUp }: { stepUp?: StepUp } = {},
): void => {
  const waiting = new Map<string, Waiting>()

  /** One attempt for equal calls, until somebody has taken its result or nobody does for long. */
  const attemptOf = ({ name, attempt }: Tool, input: unknown): Waiting => {
    const key = `${name} ${JSON.stringify(input)}`
    const before = waiting.get(key)
    if (before) return before
    const take = () => waiting.delete(key)
    const begun = { elicitationId: crypto.randomUUID(), result: attempt(input), take }
    waiting.set(key, begun)
    return begun
  }

  const answer = async (tool: Tool, input: unknown): Promise<CallToolResult> => {
    const { result, elicitationId, take } = attemptOf(tool, input)
    const { server: protocol } = server
    const knowsUrls = protocol.getClientCapabilities()?.elicitation?.url !== undefined
    const settled = await (stepUp && knowsUrls
      ? settleWithin(stepUp.patience ?? 2, result)
      : result
    ).catch((error) => {
      take()
      throw error
    })
    if (settled !== undefined) {
      take()
      return toCallToolResult(settled)
    }
    const notify = protocol.createElicitationCompletionNotifier(elicitationId)
    const forget = () => {
      const timer: { unref?: () => void } = setTimeout(take, keptFor * 1000)
      timer.unref?.()
    }
    result
      .then(notify, notify)
      .catch(() => undefined)
      .finally(forget)
    const { url, error: UrlElicitationRequired } = stepUp as StepUp
    const message = `${tool.name} waits for a person's approval`
    throw new UrlElicitationRequired([{ mode: 'url', elicitationId, url, message }], message)
  }

  for (const tool of Object.values(tools)) {
    const { name, description, inputSchema } = tool
    server.registerTool(name, { description, inputSchema: inputSchema as z.ZodObject }, (input) =>
      answer(tool, input),
    )
  }
}

type Waiting = Readonly<{
  elicitationId: string
  result: Promise<ToolResult>
  take: () => void
}>

/** Seconds for which a result waits for the call to be made again. */
const keptFor = 300

/** The result, if it comes in time. */
const settleWithin = async <T>(seconds: number, result: Promise<T>): Promise<T | undefined> => {
  const ended = new AbortController()
  const late = systemSleep(seconds, ended.signal).then(() => undefined)
  try {
    return await Promise.race([result, late])
  } finally {
    late.catch(() => undefined)
    ended.abort()
  }
}

const toCallToolResult = ({ text, ok }: ToolResult): CallToolResult => ({
  content: [{ type: 'text', text }],
  ...(ok ? {} : { isError: true }),
})
