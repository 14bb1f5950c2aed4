import { createJitFetch, JitContext, LumoAuthAgent } from '../../client/index.ts'
import { type Answer, readAnswer } from './answer.ts'
import { ExpectationFailed, type StepContext } from './step-context.ts'

/** A call through the reference client. */
export type FetchOrder = Readonly<{
  method: string
  path: string
  json?: unknown
  headers?: Readonly<Record<string, string>> | undefined
  justification?: string | undefined
  /** Details the client may request; default: the client's own default, reading. */
  allow?: unknown
  /** How many identical calls at once. */
  times?: number | undefined
}>

/** The client of one agent. It lives across steps, so that it keeps its tokens. */
export type Client = {
  /** The current step, which records the client's exchanges. */
  context: StepContext
  readonly jit: JitContext
  readonly fetches: Map<string, typeof fetch>
}

/**
 * Calls the API with the reference client, in the agent's task if there is one. The client
 * escalates by itself.
 */
export const agentFetch = async (order: FetchOrder, context: StepContext): Promise<Answer> => {
  const client = await clientOf(context)
  const call = fetchOf(client, order, context)
  const send = async () =>
    answerOf(await call(`${context.session.urls.api}${order.path}`, initOf(order)))
  const answers = await Promise.all(Array.from({ length: order.times ?? 1 }, send))
  const [first, odd] = [answers[0], answers.find((it) => it.status !== answers[0]?.status)]
  if (first === undefined) throw new ExpectationFailed('expected at least one call')
  if (odd !== undefined)
    throw new ExpectationFailed(`identical calls got ${first.status} and ${odd.status}`)
  return first
}

const clientOf = async (context: StepContext): Promise<Client> => {
  const { me } = context
  if (me.client !== undefined) {
    me.client.context = context
    return me.client
  }
  const { session, agent, prefix } = context
  const client: Client = {
    context,
    fetches: new Map(),
    jit: new JitContext(
      new LumoAuthAgent({
        env: {},
        url: session.urls.issuer,
        ...(prefix === 'org' ? { orgId: session.tenant } : { tenant: session.tenant }),
        clientId: agent.client_id,
        clientSecret: agent.client_secret,
        deadline: context.patience / 1000,
        fetch: (input, init) => withTask(client.context, new Request(input, init)),
        now: () => client.context.now(),
        sleep: async (seconds) => {
          await client.context.wait(seconds)
        },
      }),
    ),
  }
  me.client = client
  await client.jit.createTask()
  me.task ??= { ...client.jit.task }
  return client
}

/** The client uses the agent's task, and creates one only where there is none. */
const withTask = async ({ me, fetch }: StepContext, request: Request): Promise<Response> =>
  me.task !== undefined && request.method === 'POST' && request.url.endsWith('/jit/task')
    ? Response.json(me.task, { status: 201 })
    : fetch(request)

const fetchOf = (
  { jit, fetches }: Client,
  { justification, allow }: FetchOrder,
  { session }: StepContext,
) => {
  const key = JSON.stringify({ justification, allow })
  const kept = fetches.get(key)
  if (kept !== undefined) return kept
  const made = createJitFetch(jit, {
    origins: [session.urls.apiOrigin],
    ...(justification === undefined ? {} : { justification }),
    ...(allow === undefined ? {} : { allow: allow === 'any' ? () => true : (allow as []) }),
  })
  fetches.set(key, made)
  return made
}

const initOf = ({ method, json, headers }: FetchOrder): RequestInit => ({
  method,
  headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  ...(json === undefined ? {} : { body: JSON.stringify(json) }),
})

const answerOf = async (response: Response): Promise<Answer> =>
  readAnswer(response.status, Object.fromEntries(response.headers), await response.text())
