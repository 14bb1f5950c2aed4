import {
  documentTools,
  type JitStep,
  LumoAuthAgent,
  LumoAuthError,
  reportTools,
  type Tool,
} from '../index.ts'

/**
 * An analyst reads a confidential document and writes a report, with CrewAI's roles and tasks. It starts
 * without permission for either: its tools request what each call requires, and the end of the task
 * revokes it. Run `node client/examples/analyst-crew.ts` in the environment that `npm start` prints.
 */
export const analyse = async ({
  agent,
  documentsUrl = process.env.DOCUMENTS_API_URL ?? '',
  documentId = 'doc_9982',
  model = scriptedAnalyst(documentId),
  print = console.log,
  signal,
}: Readonly<{
  agent: LumoAuthAgent
  documentsUrl?: string | undefined
  documentId?: string
  model?: Model
  print?: (line: string) => void
  signal?: AbortSignal
}>): Promise<string> => {
  const jit = await agent.jit({
    name: 'CrewAI document analysis',
    origins: [documentsUrl],
    allow: [{ type: 'file_access', actions: ['read', 'write'] }],
    justification: ({ actions }) =>
      `Need to ${actions?.join(' and ')} for the analysis of ${documentId} the user asked for`,
    observe: (step) => print(`    ${told(step)}`),
    onLeftover: (error) => print(`! ${error.message}`),
    ...(signal ? { signal } : {}),
  })
  print(`task ${jit.taskId} opened`)
  try {
    const { fetch_sensitive_document } = documentTools({ fetch: jit.fetch, documentsUrl })
    const { write_analysis_report } = reportTools({ fetch: jit.fetch, documentsUrl })
    const analyst: CrewMember = {
      role: 'Senior document analyst',
      goal: 'Find what matters in a document and put it into a report',
      backstory:
        'You read what you are asked to read, nothing else, and you always say if you cannot.',
      tools: [fetch_sensitive_document, write_analysis_report],
      model,
    }
    const crew = new Crew([{ description: `Analyse ${documentId}`, member: analyst }], print)
    return await crew.kickoff(signal)
  } finally {
    await jit[Symbol.asyncDispose]()
    print(`task ${jit.taskId === undefined ? 'completed: its tokens are void' : 'left over'}`)
  }
}

/** A step of an escalation as a line of the transcript. */
const told = (it: JitStep): string => {
  switch (it.step) {
    case 'challenged':
      return `${it.request} takes ${JSON.stringify(it.required)}`
    case 'malformed':
      return `${it.request} says what it takes, but not so that it could be understood`
    case 'requested':
      return `asked for it as ${it.requestId}: ${it.status}, risk ${it.riskLevel ?? 'unknown'}`
    case 'granted':
      return `granted for ${it.expiresIn} s`
    case 'refused':
      return `not granted: ${it.message}`
  }
}

/** The next move of a model: a tool call, or the end. */
export type Move = { use: string; input: unknown } | { say: string }

/** The input of a model: its role and task, then every move with its result. */
export type Conversation = Readonly<{
  briefing: string
  moves: readonly Readonly<{ move: Move; result: string }>[]
}>

/** The language model, as the crew uses it. */
export type Model = { next(conversation: Conversation, signal?: AbortSignal): Promise<Move> }

type CrewMember = Readonly<{
  role: string
  goal: string
  backstory: string
  tools: readonly Tool[]
  model: Model
}>

type CrewTask = Readonly<{ description: string; member: CrewMember }>

/** Performs its tasks one after the other. The last answer is the result. */
class Crew {
  readonly #tasks: readonly CrewTask[]
  readonly #print: (line: string) => void

  constructor(tasks: readonly CrewTask[], print: (line: string) => void) {
    this.#tasks = tasks
    this.#print = print
  }

  async kickoff(signal?: AbortSignal): Promise<string> {
    let answer = ''
    for (const task of this.#tasks) answer = await this.#perform(task, signal)
    return answer
  }

  async #perform({ description, member }: CrewTask, signal?: AbortSignal): Promise<string> {
    const { role, goal, backstory, tools, model } = member
    const moves: { move: Move; result: string }[] = []
    const briefing = `You are: ${role}. ${backstory}\nYour goal: ${goal}.\nYour task: ${description}.`
    this.#print(`${role}: ${description}`)
    while (moves.length < mostMoves) {
      signal?.throwIfAborted()
      const move = await model.next({ briefing, moves }, signal)
      if ('say' in move) {
        this.#print(`  says: ${move.say}`)
        return move.say
      }
      this.#print(`  uses ${move.use} ${shortened(JSON.stringify(move.input))}`)
      const tool = tools.find(({ name }) => name === move.use)
      const result = tool
        ? await tool.execute(move.input, signal ? { signal } : {})
        : `there is no tool ${move.use}`
      this.#print(`    result: ${shortened(result)}`)
      moves.push({ move, result })
    }
    return `gave up after ${mostMoves} moves`
  }
}

const mostMoves = 12

const shortened = (text: string) => (text.length > 160 ? `${text.slice(0, 159)}…` : text)

/** Replaces a language model: reads the document, writes a report about it, and ends. */
const scriptedAnalyst = (documentId: string): Model => ({
  next: async ({ moves }) => {
    const [read, written] = moves
    if (read === undefined) {
      return { use: 'fetch_sensitive_document', input: { document_id: documentId } }
    }
    const document = fieldsOf(read.result)
    if (document === undefined) return { say: `I could not read ${documentId}: ${read.result}` }
    if (written === undefined) {
      return {
        use: 'write_analysis_report',
        input: {
          title: `Analysis of ${document.title}`,
          content: `The document says: ${document.body}`,
          document_ids: [documentId],
        },
      }
    }
    const report = fieldsOf(written.result)
    return report === undefined
      ? { say: `I could not write the report: ${written.result}` }
      : { say: `I wrote the report ${report.id}.` }
  },
})

/** The JSON object in a tool's answer. A refusal is plain text. */
const fieldsOf = (result: string): Record<string, unknown> | undefined => {
  try {
    return JSON.parse(result)
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort(new Error('interrupted')))
  }
  try {
    await analyse({ agent: new LumoAuthAgent(), signal: interrupted.signal })
  } catch (error) {
    const code = error instanceof LumoAuthError ? `${error.code}: ` : ''
    console.error(`${code}${error instanceof Error ? error.message : error}`)
    process.exitCode = 1
  }
}
