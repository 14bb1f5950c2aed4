import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import {
  aiSdkTools,
  documentTools,
  langchainTools,
  mastraTools,
  NoTaskError,
  openaiAgentsTools,
  registerMcpTools,
  reportTools,
} from '../../../client/index.ts'

/** All tools, with an API that echoes each request. */
const tools = (fetch = echo) => ({
  ...documentTools({ fetch, documentsUrl: 'https://api.test' }),
  ...reportTools({ fetch, documentsUrl: 'https://api.test' }),
})

const echo: typeof globalThis.fetch = async (input, init) => {
  init?.signal?.throwIfAborted()
  return Response.json({ asked: `${init?.method} ${input}` })
}

const read = { document_id: 'doc_1' }
const asked = '{"asked":"GET https://api.test/v1/documents/doc_1"}'

describe('a tool', () => {
  it.each(Object.values(tools()).map((it) => [it.name, it] as const))(
    '%s has an object at the root of its JSON Schema, which every model accepts',
    (_name, { inputSchema }) => {
      expect(z.toJSONSchema(inputSchema, { io: 'input' })).toMatchObject({
        type: 'object',
        properties: expect.any(Object),
        additionalProperties: false,
      })
    },
  )

  it('tells the caller whether it succeeded', async () => {
    const { fetch_sensitive_document } = tools()

    expect(await fetch_sensitive_document.attempt(read)).toEqual({ text: asked, ok: true })
    expect(await fetch_sensitive_document.attempt({ document_id: '' })).toMatchObject({ ok: false })
  })
})

describe('an adapter', () => {
  const aborted = AbortSignal.abort(new Error('the user left'))

  it('for the AI SDK keeps names and passes the signal on', async () => {
    const { fetch_sensitive_document: tool } = aiSdkTools(tools())

    expect(await tool.execute(read, {})).toBe(asked)
    await expect(tool.execute(read, { abortSignal: aborted })).rejects.toThrow('the user left')
  })

  it('for LangChain creates tools with LangChain’s function', async () => {
    const [, tool] = langchainTools((run, fields) => ({ run, ...fields }), tools())

    expect(tool).toMatchObject({
      name: 'fetch_sensitive_document',
      schema: expect.any(z.ZodObject),
    })
    expect(await tool?.run(read)).toBe(asked)
    await expect(tool?.run(read, { signal: aborted })).rejects.toThrow('the user left')
  })

  it('for OpenAI Agents gives plain JSON Schema, not strict', async () => {
    const [, tool] = openaiAgentsTools((options) => options, tools())

    expect(tool).toMatchObject({ name: 'fetch_sensitive_document', strict: false })
    expect(Reflect.ownKeys(tool?.parameters ?? {})).not.toContain('~standard')
    expect(await tool?.execute(read)).toBe(asked)
    await expect(tool?.execute(read, {}, { signal: aborted })).rejects.toThrow('the user left')
  })

  it('for Mastra names tools by their ids', async () => {
    const { fetch_sensitive_document: tool } = mastraTools((options) => options, tools())

    expect(tool?.id).toBe('fetch_sensitive_document')
    expect(await tool?.execute(read)).toBe(asked)
    await expect(tool?.execute(read, { abortSignal: aborted })).rejects.toThrow('the user left')
  })
})

describe('the adapter for MCP', () => {
  type Answer = (
    input: Record<string, unknown>,
    extra?: { signal?: AbortSignal },
  ) => Promise<unknown>

  /** The part of an MCP server that the adapter uses, and a function that calls its tools. */
  const served = (
    fetch: typeof globalThis.fetch,
    { knowsUrls, patience = 0.01 }: { knowsUrls: boolean; patience?: number },
  ) => {
    const answers = new Map<string, Answer>()
    const completed: string[] = []
    const server = {
      registerTool: (name: string, _config: object, answer: Answer) =>
        void answers.set(name, answer),
      server: {
        getClientCapabilities: () => (knowsUrls ? { elicitation: { url: {} } } : {}),
        createElicitationCompletionNotifier: (id: string) => async () => void completed.push(id),
      },
    }
    const stepUp = {
      url: 'https://issuer.test/console/acme',
      error: UrlElicitationRequired,
      patience,
    }
    registerMcpTools(server, tools(fetch), { stepUp })
    return {
      completed,
      call: async (name: string, input: Record<string, unknown>, extra?: { signal: AbortSignal }) =>
        answers.get(name)?.(input, extra),
    }
  }

  class UrlElicitationRequired extends Error {
    readonly elicitations: readonly { elicitationId: string; url: string; message: string }[]
    constructor(elicitations: UrlElicitationRequired['elicitations'], message?: string) {
      super(message)
      this.elicitations = elicitations
    }
  }

  /** A person who answers when told to, how often the API was called, and the signals of the calls. */
  const person = () => {
    const { promise, resolve, reject } = Promise.withResolvers<Response>()
    const calls: unknown[] = []
    const signals: AbortSignal[] = []
    const fetch: typeof globalThis.fetch = (input, { signal } = {}) => {
      calls.push(input)
      if (signal) signals.push(signal)
      return promise.then((response) => response.clone())
    }
    return { fetch, calls, signals, answer: resolve, fail: reject }
  }

  it('shares one attempt among equal calls, and cancels it with the last of them', async () => {
    const { fetch, calls, signals } = person()
    const { call } = served(fetch, { knowsUrls: true, patience: 30 })
    const [first, second] = [new AbortController(), new AbortController()]
    const called = [first, second].map(async ({ signal }) =>
      call('fetch_sensitive_document', read, { signal }).catch((error: Error) => error.message),
    )
    await vi.waitFor(() => expect(calls).toHaveLength(1))

    first.abort(new Error('the first is cancelled'))
    expect(await called[0]).toBe('the first is cancelled')
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    second.abort(new Error('the second is cancelled'))
    expect(await called[1]).toBe('the second is cancelled')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  it('does not share an attempt that was cancelled, nor one for another input or tool', async () => {
    const { fetch, calls } = person()
    const { call } = served(fetch, { knowsUrls: true, patience: 30 })
    const cancelled = async (name: string, input: Record<string, unknown>) => {
      const abort = new AbortController()
      const called = call(name, input, abort).catch((error: Error) => error.message)
      abort.abort(new Error('cancelled'))
      expect(await called).toBe('cancelled')
    }

    await cancelled('fetch_sensitive_document', read)
    await cancelled('fetch_sensitive_document', read)
    expect(calls).toHaveLength(2)
    const elicited = served(fetch, { knowsUrls: true })
    for (const input of [read, { document_id: 'doc_2' }, read]) {
      await elicited.call('fetch_sensitive_document', input).catch(() => undefined)
    }
    expect(calls).toHaveLength(4)
  })

  it('keeps a result for 300 s after the decision', async () => {
    vi.useFakeTimers()
    try {
      const { fetch, calls, answer } = person()
      const { call } = served(fetch, { knowsUrls: true, patience: 2 })
      const elicited = call('fetch_sensitive_document', read).catch((error: unknown) => error)
      await vi.advanceTimersByTimeAsync(2000)
      expect(await elicited).toBeInstanceOf(UrlElicitationRequired)
      answer(Response.json({ id: 'doc_1' }))
      await vi.advanceTimersByTimeAsync(300_001)

      await call('fetch_sensitive_document', read)

      expect(calls).toHaveLength(2)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('answers with a text, and sets isError on failures', async () => {
    const { call } = served(echo, { knowsUrls: false })

    expect(await call('fetch_sensitive_document', read)).toEqual({
      content: [{ type: 'text', text: asked }],
    })
    expect(await call('fetch_sensitive_document', { document_id: '' })).toMatchObject({
      isError: true,
    })
  })

  it('sends a client with URL elicitation the approval URL, and keeps the result for its next call', async () => {
    const { fetch, calls, answer } = person()
    const { call, completed } = served(fetch, { knowsUrls: true })

    const first: unknown = await call('fetch_sensitive_document', read).catch((error) => error)
    expect(first).toBeInstanceOf(UrlElicitationRequired)
    const { elicitations } = first as UrlElicitationRequired
    expect(elicitations).toEqual([
      {
        mode: 'url',
        elicitationId: expect.any(String),
        url: 'https://issuer.test/console/acme',
        message: 'fetch_sensitive_document waits for approval',
      },
    ])
    answer(Response.json({ id: 'doc_1' }))

    expect(await call('fetch_sensitive_document', read)).toEqual({
      content: [{ type: 'text', text: '{"id":"doc_1"}' }],
    })
    expect(calls).toHaveLength(1)
    expect(completed).toEqual([elicitations[0]?.elicitationId])
  })

  it('returns a result once; the next call is a new one', async () => {
    const { fetch, calls, answer } = person()
    answer(Response.json({ id: 'doc_1' }))
    const { call } = served(fetch, { knowsUrls: true, patience: 5 })

    await call('fetch_sensitive_document', read)
    await call('fetch_sensitive_document', read)

    expect(calls).toHaveLength(2)
  })

  it('waits for the decision when the client has no URL elicitation', async () => {
    const { fetch, answer } = person()
    const { call } = served(fetch, { knowsUrls: false })

    const called = call('fetch_sensitive_document', read)
    setTimeout(() => answer(Response.json({ id: 'doc_1' })), 30)

    expect(await called).toMatchObject({ content: [{ text: '{"id":"doc_1"}' }] })
  })

  it('forgets a failed call, so that the next one tries again', async () => {
    let count = 0
    const { call } = served(
      async () => {
        count += 1
        throw new NoTaskError('open a task first')
      },
      { knowsUrls: true, patience: 5 },
    )

    await expect(call('fetch_sensitive_document', read)).rejects.toThrow('open a task first')
    await expect(call('fetch_sensitive_document', read)).rejects.toThrow('open a task first')

    expect(count).toBe(2)
  })
})
