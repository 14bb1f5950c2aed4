import type { z } from 'zod'
import { ApprovalPendingError } from '../errors.ts'
import { rejectOnAbort, systemSleep } from '../time.ts'
import type { Tool, ToolResult } from './tool.ts'

/** What is needed of an `McpServer` of `@modelcontextprotocol/sdk`. */
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
 * A call that the client cancels, or that times out there, is not carried out later.
 *
 * With `stepUp`, a call that waits for a person is answered with the error -32042 and the page to
 * approve on (MCP 2025-11-25, URL mode elicitation), if the client supports that mode. The tool goes
 * on waiting: the same call, made again, gets its result, and equal calls share one. Other clients wait.
 * With `whenPending: 'throw'` the tool does not wait: the call made again looks whether it was decided.
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

  /** One attempt for equal calls, until its result was taken or all who wait for it have cancelled. */
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

  /** The result if it comes in time, else undefined; a cancelled call takes its attempt along. */
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
    const message = `${tool.name} waits for a person's approval`
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
