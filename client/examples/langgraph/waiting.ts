// Waits for an approval without a running process. `node waiting.ts FILE` suspends the run to FILE when
// a person must decide, and ends; after the decision the same command resumes from FILE.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import { HumanMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import {
  Command,
  END,
  interrupt,
  isInterrupted,
  MemorySaver,
  MessagesAnnotation,
  START,
  StateGraph,
} from '@langchain/langgraph'
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt'
import { ChatOpenAI } from '@langchain/openai'
import {
  ApprovalPendingError,
  documentTools,
  type JitOptions,
  LumoAuthAgent,
  langchainTools,
  reportTools,
} from '../../index.ts'

const file = process.argv[2] ?? 'waiting.bin'
const stored = existsSync(file) ? deserialize(readFileSync(file)) : undefined
const documentsUrl = process.env.DOCUMENTS_API_URL ?? ''
const options: JitOptions = {
  origins: [documentsUrl],
  allow: [
    { type: 'file_access', actions: ['read', 'write'] },
    { type: 'user_data', actions: ['read'] },
  ],
  whenPending: 'throw',
}

const agent = new LumoAuthAgent()
await using jit = stored
  ? agent.resume(stored.task, options)
  : await agent.jit({ name: 'LangGraph document analysis', ...options })
for (const { request_id } of stored?.task.requests ?? []) await jit.waitForApproval(request_id)

const { fetch_sensitive_document } = documentTools({ fetch: jit.fetch, documentsUrl })
const { write_analysis_report } = reportTools({ fetch: jit.fetch, documentsUrl })

/** Runs a tool. A pending request interrupts the graph, which runs the node again later. */
const interrupting = <T extends typeof fetch_sensitive_document>(it: T): T => ({
  ...it,
  execute: async (...call: Parameters<T['execute']>) => {
    try {
      return await it.execute(...(call as Parameters<typeof it.execute>))
    } catch (error) {
      if (!(error instanceof ApprovalPendingError)) throw error
      return interrupt({ request_id: error.requestId, required: error.required })
    }
  },
})
const tools = langchainTools(tool, {
  fetch_sensitive_document: interrupting(fetch_sensitive_document),
  write_analysis_report,
})
const model = new ChatOpenAI({ model: process.env.OPENAI_MODEL ?? 'gpt-4o' }).bindTools(tools)

// In production a checkpointer with a database; here its state is in the file.
const checkpointer = new MemorySaver()
if (stored) Object.assign(checkpointer, stored.memory)

const graph = new StateGraph(MessagesAnnotation)
  .addNode('analyst', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
  .addNode('tools', new ToolNode(tools))
  .addEdge(START, 'analyst')
  .addConditionalEdges('analyst', toolsCondition, ['tools', END])
  .addEdge('tools', 'analyst')
  .compile({ checkpointer })

const prompt = new HumanMessage(
  'Fetch document doc_9982, analyze it, and write a concise analysis report.',
)
const result = await graph.invoke(
  stored ? new Command({ resume: 'decided' }) : { messages: [prompt] },
  { configurable: { thread_id: 'analysis' } },
)
if (isInterrupted(result)) {
  const { storage, writes } = checkpointer
  writeFileSync(file, serialize({ task: jit.suspend(), memory: { storage, writes } }))
  console.log('suspended')
} else {
  rmSync(file, { force: true })
  console.log(result.messages.at(-1)?.text)
}
