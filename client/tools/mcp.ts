import type { z } from 'zod'
import { ApprovalPendingError } from '../errors.ts'
import { rejectOnAbort, systemSleep } from '../time.ts'
import type { Tool, ToolResult } from './tool.ts'

/** The parts of an `McpServer` of `@modelcontextprotocol/sdk` in use. */
type Registering = Readonly<{
  registerTool(
    name: string,
    config: { description: string; inputSchema: z.ZodObject },
    answer: (
      input: Record<string, unknown>,
      extra?: { signal?: AbortSignal },
    ) => Promise<CallToolResult>,
  ): unknown
  server: Readonly<{
    getClientCapabilities(): { elicitation?: { url?: object | undefined } | undefined } | undefined
    createElicitationCompletionNotifier(elicitationId: string): () => Promise<void>
  }>
}>

type CallToolResult = { content: { type: 'text'; text: string }[]; isError?: boolean }

type Elicitation = { mode: 'url'; elicitationId: string; url: string; message: string }

/** The error that tells a client that a person must approve, and on which page. */
export type StepUp = Readonly<{
  /** The page on which a person approves, such as `${LUMOAUTH_URL}/console/${LUMOAUTH_TENANT}`. */
  url: string
  /** `UrlElicitationRequiredError` of `@modelcontextprotocol/sdk/types.js`. */
  error: new (
    elicitations: Elicitation[],
    message?: string,
  ) => Error
  /** Seconds after which a call counts as waiting for approval. Default 2. */
  patience?: number
}>

/**
 * Registers tools with an MCP server, for any transport.
 *
 * A call that the client cancels, or that times out at the client, is not carried out later. With
 * `whenPending: 'throw'` the tool does not wait: a repeated call reads the decision.
 *
 * With `stepUp`, a call that waits for approval is answered with the error -32042 and the approvals
 * page (MCP 2025-11-25, URL mode elicitation), if the client supports that mode. The tool continues to
 * wait: a repeated call gets its result, and equal calls share one. For other clients the call waits.
 * @example registerMcpTools(server, documentTools({ fetch: jit.fetch }))
 */
export const registerMcpTools = (
  server: Registering,
  tools: Readonly<Record<string, Tool>>,
  { stepUp }: { stepUp?: StepUp } = {},
): void => {
  const waiting = new Map<string, Waiting>()

  /** One attempt for equal calls, until its result is returned or all waiting calls are cancelled. */
  const attemptOf = ({ name, attempt }: Tool, input: unknown): Waiting => {
    const key = `${name} ${JSON.stringify(input)}`
    const before = waiting.get(key)
    if (before) return before
    const abort = new AbortController()
    const begun = {
      elicitationId: crypto.randomUUID(),
      result: attempt(input, { signal: abort.signal }),
      abort,
      callers: 0,
      take: () => waiting.delete(key),
    }
    waiting.set(key, begun)
    return begun
  }

  /** The result if it arrives in time, else undefined. Cancelling the call cancels its attempt. */
  const wait = async (
    attempt: Waiting,
    seconds: number,
    signal: AbortSignal | undefined,
  ): Promise<ToolResult | undefined> => {
    attempt.callers += 1
    try {
      const settled = await rejectOnAbort(settleWithin(seconds, attempt.result), signal)
      if (settled !== undefined) attempt.take()
      return settled
    } catch (error) {
      if (signal?.aborted && attempt.callers > 1) throw error
      attempt.take()
      attempt.abort.abort(error)
      throw error
    } finally {
      attempt.callers -= 1
    }
  }

  const answerOrElicit = async (
    tool: Tool,
    input: unknown,
    { url, error: UrlElicitationRequired, patience = 2 }: StepUp,
    signal: AbortSignal | undefined,
  ): Promise<ToolResult> => {
    const attempt = attemptOf(tool, input)
    const { elicitationId, result, take } = attempt
    const message = `${tool.name} waits for approval`
    const elicit = () =>
      new UrlElicitationRequired([{ mode: 'url', elicitationId, url, message }], message)
    const settled = await wait(attempt, patience, signal).catch((error: unknown) => {
      take()
      throw error instanceof ApprovalPendingError ? elicit() : error
    })
    if (settled !== undefined) return settled
    const notify = server.server.createElicitationCompletionNotifier(elicitationId)
    const forget = () => {
      const timer: { unref?: () => void } = setTimeout(take, keptFor * 1000)
      timer.unref?.()
    }
    result
      .then(notify, notify)
      .catch(() => undefined)
      .finally(forget)
    throw elicit()
  }

  for (const tool of Object.values(tools)) {
    const { name, description, inputSchema } = tool
    const config = { description, inputSchema: inputSchema as z.ZodObject }
    server.registerTool(name, config, async (input, { signal } = {}) => {
      const knowsUrls = server.server.getClientCapabilities()?.elicitation?.url !== undefined
      return toCallToolResult(
        await (stepUp && knowsUrls
          ? answerOrElicit(tool, input, stepUp, signal)
          : tool.attempt(input, signal ? { signal } : {})),
      )
    })
  }
}

type Waiting = {
  readonly elicitationId: string
  readonly result: Promise<ToolResult>
  readonly abort: AbortController
  readonly take: () => void
  callers: number
}

/** Seconds for which a result is kept for the repeated call. */
const keptFor = 300

/** The result, if it arrives in time. */
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
