import { describe, expect, it } from 'vitest'
import {
  aiSdkTools,
  documentTools,
  type Fetch,
  type JitOptions,
  LumoAuthAgent,
  langchainTools,
  mastraTools,
  openaiAgentsTools,
  refusalOf,
  registerMcpTools,
  type Tool,
} from '../../client/index.ts'
import { api, atWork, networkFailure, reading } from './world.ts'

const doc = `${api}/v1/documents/doc_1`

/** How a framework suspends a run: it throws a value that is not one of our errors. */
class Interrupt {
  readonly resumable = true
}

type Call = (fetch: Fetch, signal?: AbortSignal) => Promise<unknown>

const name = 'fetch_sensitive_document'
const input = { document_id: 'doc_1' }

const toolsOf = (fetch: Fetch) => documentTools({ fetch, documentsUrl: api })

type Run = (input: unknown, ...more: unknown[]) => Promise<unknown>

const named = (made: readonly { name: string; run: Run }[]) =>
  made.find((it) => it.name === name)?.run as Run

/** Every way to call the API with the client; callbacks behave the same in each. */
const callers: Record<string, Call> = {
  'jit.fetch': (fetch, signal) => fetch(doc, signal ? { signal } : {}),
  'tool.execute': (fetch, signal) => toolsOf(fetch)[name].execute(input, signal ? { signal } : {}),
  'tool.attempt': (fetch, signal) => toolsOf(fetch)[name].attempt(input, signal ? { signal } : {}),
  'AI SDK': (fetch, signal) =>
    aiSdkTools(toolsOf(fetch))[name].execute(input, signal ? { abortSignal: signal } : {}),
  LangChain: (fetch, signal) => {
    const tool = (run: Run, { name }: { name: string }) => ({ name, run })
    return named(langchainTools(tool as never, toolsOf(fetch)))(input, { signal })
  },
  Mastra: (fetch, signal) => {
    const tool = ({ id, execute }: { id: string; execute: Run }) => ({ name: id, run: execute })
    return named(Object.values(mastraTools(tool as never, toolsOf(fetch))))(input, {
      abortSignal: signal,
    })
  },
  'OpenAI Agents': (fetch, signal) => {
    const tool = ({ name, execute }: { name: string; execute: Run }) => ({ name, run: execute })
    return named(openaiAgentsTools(tool as never, toolsOf(fetch)))(input, {}, { signal })
  },
  MCP: (fetch, signal) => mcpCall(fetch, signal, {}),
  'MCP with step-up': (fetch, signal) => mcpCall(fetch, signal, { elicitation: { url: {} } }),
}

const mcpCall = (fetch: Fetch, signal: AbortSignal | undefined, capabilities: object) => {
  const made: { name: string; run: Run }[] = []
  const server = {
    registerTool: (name: string, _: object, run: unknown) =>
      void made.push({ name, run: run as Run }),
    server: {
      getClientCapabilities: () => capabilities,
      createElicitationCompletionNotifier: () => async () => {},
    },
  }
  const stepUp = { url: 'https://issuer.test', error: class extends Error {}, patience: 30 }
  registerMcpTools(server, toolsOf(fetch) as Record<string, Tool>, { stepUp: stepUp as never })
  return named(made)(input, { signal })
}

const everyCaller = Object.entries(callers)

const thrown = [
  ['an Error', new Error('a bug')],
  ['a TypeError', new TypeError('undefined is not a function')],
  ["a framework's interrupt", new Interrupt()],
] as const

const throwing = (error: unknown) => () => {
  throw error
}

const rejecting = (error: unknown) => async () => {
  throw error
}

describe.each(everyCaller)('a callback of %s', (caller, call) => {
  const start = async (options: JitOptions & { fetch?: Fetch } = {}) => atWork(options)

  it.each([
    ['true', () => true],
    ['a promise of true', async () => true],
  ])('allow: %s permits', async (_, allow) => {
    const { world, jit } = await start({ allow })

    await call(jit.fetch)

    expect(world.to('POST /jit/request')).toHaveLength(1)
    expect(world.to('GET /v1/documents/doc_1')).toHaveLength(2)
  })

  it.each([
    ['false', () => false],
    ['a promise of false', async () => false],
  ])('allow: %s forbids', async (_, allow) => {
    const { world, jit } = await start({ allow })

    await call(jit.fetch)

    expect(world.to('POST /jit/request')).toEqual([])
    expect(world.to('GET /v1/documents/doc_1')).toHaveLength(1)
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['string', 'yes'],
    ['number', 1],
    ['object', {}],
  ])(
    'allow: %s, or a promise of it, is a config_error, and sends no request',
    async (type, value) => {
      for (const allow of [() => value, async () => value]) {
        const { jit } = await start({ allow: allow as never })

        await expect(call(jit.fetch)).rejects.toMatchObject({
          code: 'config_error',
          message: `allow: expected true or false, received ${type}`,
        })
      }
      const { world, jit } = await start({ allow: () => value as never })
      await call(jit.fetch).catch(() => undefined)
      expect(world.to('POST /jit/request')).toEqual([])
    },
  )

  it.each([
    ['a promise of a string', async () => 'asked', 'asked'],
    ['nothing', () => undefined, 'Required for GET https://api.test/v1/documents/doc_1'],
  ])('justification: %s', async (_, justification, sent) => {
    const { world, jit } = await start({ justification: justification as never })

    await call(jit.fetch)

    expect(world.to('POST /jit/request').map(({ json }) => json.justification)).toEqual([sent])
  })

  it('justification: a number is a config_error', async () => {
    const { jit } = await start({ justification: (() => 5) as never })

    await expect(call(jit.fetch)).rejects.toMatchObject({
      code: 'config_error',
      message: 'justification: expected a string, received number',
    })
  })

  it.each(thrown)(
    'allow, justification: an error in the callback is thrown unchanged: %s',
    async (_, error) => {
      for (const fail of [throwing(error), rejecting(error)]) {
        for (const options of [{ allow: fail }, { justification: fail }]) {
          const { jit } = await start(options as never)

          expect(await call(jit.fetch).catch((it) => it)).toBe(error)
        }
      }
    },
  )

  it.each(thrown)('observe: never changes the outcome: %s', async (_, error) => {
    for (const observe of [throwing(error), rejecting(error), () => 5]) {
      const { world, jit } = await start({ observe: observe as never })

      await call(jit.fetch)

      expect(world.to('GET /v1/documents/doc_1')).toHaveLength(2)
    }
  })

  it.each(thrown)('fetch: its error is thrown unchanged: %s', async (_, error) => {
    for (const fail of [throwing(error), rejecting(error)]) {
      for (const line of ['GET /v1/documents/doc_1', 'POST /jit/request']) {
        const { world, jit } = await start()
        world.on(line, fail)

        expect(await call(jit.fetch).catch((it) => it)).toBe(error)
      }
    }
  })

  it('fetch: a value that is not a Response is a config_error', async () => {
    const { world, jit } = await start()
    world.on('GET /v1/documents/doc_1', () => undefined as never)

    await expect(call(jit.fetch)).rejects.toMatchObject({ code: 'config_error' })
  })

  it('fetch: a network failure is a network_error, or a text for a model', async () => {
    const { world, jit } = await start()
    world.on('GET /v1/documents/doc_1', throwing(networkFailure()))

    const outcome = await call(jit.fetch).catch((error) => error.code)

    if (caller === 'jit.fetch') expect(outcome).toBe('network_error')
    else expect(JSON.stringify(outcome)).toContain('could not be reached')
  })

  it.each(thrown)('sleep: its error is thrown unchanged: %s', async (_, error) => {
    const { world, jit } = await start()
    world.afterPolls = 1
    world.whileSleeping = throwing(error)

    expect(await call(jit.fetch).catch((it) => it)).toBe(error)
  })

  it('sends nothing more after the call is cancelled during an approval', async () => {
    const { world, jit } = await start()
    const stop = new AbortController()
    world.afterPolls = 1
    world.whileSleeping = () => stop.abort(new Error('stopped'))

    await expect(call(jit.fetch, stop.signal)).rejects.toThrow('stopped')

    world.whileSleeping = () => {}
    await new Promise(setImmediate)
    expect(world.to('GET /v1/documents/doc_1')).toHaveLength(1)
    expect(world.lines().filter((line) => line.endsWith('/token'))).toEqual(['POST /oauth/token'])
  })

  it('sends one request for a detail that was denied, however many calls need it', async () => {
    const { world, jit } = await start()
    world.decision = 'denied'

    await call(jit.fetch)
    await call(jit.fetch)

    expect(world.to('POST /jit/request')).toHaveLength(1)
  })
})

describe('now', () => {
  it.each([undefined, Number.NaN, Promise.resolve(5)])('%s is a config_error', async (value) => {
    const { jit } = await atWork()
    const agent = new LumoAuthAgent({
      url: 'https://issuer.test',
      tenant: 'acme',
      clientId: 'a',
      clientSecret: 'b',
      fetch: jit.agent.fetch,
      now: () => value as number,
    })

    await expect(agent.token()).rejects.toMatchObject({ code: 'config_error' })
  })
})

describe('a denial', () => {
  it('is remembered for the same detail in the same task, and says so', async () => {
    const { world, jit } = await atWork()
    world.decision = 'denied'
    await jit.fetch(doc)
    world.decision = 'approved'

    const refusal = refusalOf(await jit.fetch(doc))

    expect(refusal).toMatchObject({ reason: 'denied', required: reading('doc_1') })
    expect((await jit.fetch(`${api}/v1/documents/doc_2`)).status).toBe(200)
  })

  it('is forgotten at the end of the task', async () => {
    const { world, jit } = await atWork()
    world.decision = 'denied'
    await jit.fetch(doc)
    await jit.completeTask()
    await jit.createTask()
    world.decision = 'approved'

    expect((await jit.fetch(doc)).status).toBe(200)
  })

  it('is requested again with askAgain', async () => {
    const { world, jit } = await atWork({ askAgain: true })
    world.decision = 'denied'
    await jit.fetch(doc)
    world.decision = 'approved'

    expect((await jit.fetch(doc)).status).toBe(200)
  })

  it.each(['expired', 'revoked'])(
    'is not remembered for a request that is %s',
    async (decision) => {
      const { world, jit } = await atWork()
      world.decision = decision
      await jit.fetch(doc)
      world.decision = 'approved'

      expect((await jit.fetch(doc)).status).toBe(200)
    },
  )
})

describe('onLeftover', () => {
  it('is awaited, and its error is thrown unchanged', async () => {
    const error = new Error('a bug')
    const { world, jit } = await atWork({ onLeftover: rejecting(error) })
    world.on('POST /jit/task/task_2/complete', throwing(new Error('broken')))

    await expect(jit[Symbol.asyncDispose]()).rejects.toBe(error)
  })
})
