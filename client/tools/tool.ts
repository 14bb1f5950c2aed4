import { z } from 'zod'
import { parseJson } from '../../server/wire/json.ts'
import { longestAnswer, readText } from '../../server/wire/read-text.ts'
import type { Route } from '../../server/wire/routes/route.ts'
import type { Fetch } from '../agent.ts'
import {
  ApiError,
  AuthenticationError,
  ConfigError,
  EscalationRefusedError,
  LumoAuthError,
} from '../errors.ts'
import { refusalOf } from '../escalation-refusal.ts'
import { isNetworkFailure } from '../network-failure.ts'
import { redact } from '../redact.ts'

/**
 * A tool of a model. Results and errors that the model can handle, including refusals, are returned as
 * text. An abort by the caller and programming errors are thrown.
 */
export type Tool<S extends z.ZodType = z.ZodType> = Readonly<{
  name: string
  description: string
  inputSchema: S
  execute(input: z.input<S>, options?: { signal?: AbortSignal }): Promise<string>
  /** As `execute`, for protocols that distinguish success and failure. */
  attempt(input: z.input<S>, options?: { signal?: AbortSignal }): Promise<ToolResult>
}>

/** The result of a tool: its text, and whether it succeeded. */
export type ToolResult = Readonly<{ text: string; ok: boolean }>

/** Options of the document and report tools. */
export type ToolOptions = Readonly<{
  /** A `jit.fetch`, with which the tools escalate. */
  fetch: Fetch
  /** Base URL of the API. Default: the variable `DOCUMENTS_API_URL`. */
  documentsUrl?: string | undefined
  env?: Readonly<Record<string, string | undefined>>
}>

/** One request to the API. */
export type ApiCall = Readonly<{
  route: Route
  params?: Readonly<Record<string, string>>
  body?: unknown
}>

/**
 * Makes a tool from a function that builds a request. Adds the URL, validates the input and formats the
 * answer.
 */
export const toolMaker = ({
  fetch,
  documentsUrl,
  env = globalThis.process?.env ?? {},
}: ToolOptions) => {
  const base = (documentsUrl || env.DOCUMENTS_API_URL)?.replace(/\/+$/, '')
  if (!base || !URL.canParse(base)) {
    throw new ConfigError('no documents API: give `documentsUrl` or set DOCUMENTS_API_URL')
  }
  return <S extends z.ZodType>(
    tool: Pick<Tool<S>, 'name' | 'description' | 'inputSchema'>,
    callOf: (input: z.output<S>) => ApiCall,
  ): Tool<S> => {
    const attempt: Tool<S>['attempt'] = async (input, { signal } = {}) => {
      const parsed = tool.inputSchema.safeParse(input)
      if (!parsed.success) return failedResult(`invalid input: ${z.prettifyError(parsed.error)}`)
      try {
        return await answerTo(callOf(parsed.data), { fetch, base, signal })
      } catch (error) {
        signal?.throwIfAborted()
        return failedResult(describeActionableError(error))
      }
    }
    return {
      ...tool,
      attempt,
      execute: async (input, options) => (await attempt(input, options)).text,
    }
  }
}

const failedResult = (text: string): ToolResult => ({ text, ok: false })

const answerTo = async (
  { route, params = {}, body }: ApiCall,
  { fetch, base, signal }: { fetch: Fetch; base: string; signal: AbortSignal | undefined },
): Promise<ToolResult> => {
  const path = route.path.replace(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? ''),
  )
  const response = await fetch(base + path, {
    method: route.method,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  })
  const text = await readText(response)
  if (text === undefined) {
    return failedResult(
      `the documents API answered ${response.status} with more than ${longestAnswer} bytes, the most a tool reads`,
    )
  }
  if (response.ok) return { text: text === '' ? 'done' : text, ok: true }
  const refusal = refusalOf(response)
  return failedResult(
    redact(
      refusal
        ? `permission denied: ${refusal.message}`
        : explainStatus(response.status, readErrorText(text)),
    ),
  )
}

/** The text of an unsuccessful answer, for a model. */
const explainStatus = (status: number, description: string): string => {
  if (status === 401) return `not signed in: ${description}`
  if (status === 403) return `permission denied: ${description}`
  if (status === 404) return `not found: ${description}`
  if (status === 429) return `too many requests, try again later: ${description}`
  if (status < 500) return `refused (${status}): ${description}`
  return `the documents API failed (${status}), try again later`
}

/**
 * The text of an error, unless only the program can handle it. Errors of neither the client nor the
 * network are programming errors, or a framework that suspends the run, and are thrown.
 */
const describeActionableError = (error: unknown): string => {
  if (!(error instanceof LumoAuthError) && !isNetworkFailure(error)) throw error
  if (error instanceof EscalationRefusedError) return `permission denied: ${error.message}`
  if (error instanceof AuthenticationError || (error instanceof ApiError && error.status < 500)) {
    throw error
  }
  if (error instanceof ApiError) return `LumoAuth failed (${error.status}), try again later`
  if (
    error instanceof LumoAuthError &&
    !['network_error', 'deadline_exceeded'].includes(error.code)
  ) {
    throw error
  }
  return 'the documents API could not be reached, try again later'
}

const ErrorText = z.looseObject({
  error_description: z.string().optional(),
  message: z.string().optional(),
  error: z.string().optional(),
})

const readErrorText = (text: string): string => {
  try {
    const body = ErrorText.parse(parseJson(text))
    return (body.error_description ?? body.message ?? body.error ?? 'no reason given').slice(
      0,
      1000,
    )
  } catch {
    return 'no reason given'
  }
}
