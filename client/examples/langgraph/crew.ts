import { HumanMessage, SystemMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt'
import { ChatOpenAI } from '@langchain/openai'
import { documentTools, LumoAuthAgent, langchainTools, reportTools } from '../../index.ts'

const documentsUrl = process.env.DOCUMENTS_API_URL ?? ''

// A task: the scope of all granted permissions. Leaving it, also by an error, revokes every token.
await using jit = await new LumoAuthAgent().jit({
  name: 'LangGraph document analysis',
  origins: [documentsUrl],
  allow: [
    { type: 'file_access', actions: ['read', 'write'] },
    { type: 'user_data', actions: ['read'] },
  ],
  limit: Number(process.env.JIT_POLL_TIMEOUT ?? 300),
})

const options = { fetch: jit.fetch, documentsUrl }
const { fetch_sensitive_document } = documentTools(options)
const { write_analysis_report } = reportTools(options)

const tools = langchainTools(tool, { fetch_sensitive_document, write_analysis_report })
const model = new ChatOpenAI({ model: process.env.OPENAI_MODEL ?? 'gpt-4o' }).bindTools(tools)

const graph = new StateGraph(MessagesAnnotation)
  .addNode('analyst', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
  .addNode('tools', new ToolNode(tools))
  .addEdge(START, 'analyst')
  .addConditionalEdges('analyst', toolsCondition, ['tools', END])
  .addEdge('tools', 'analyst')
  .compile()

const { messages } = await graph.invoke({
  messages: [
    new SystemMessage(
      'You are a senior analyst. You retrieve and analyze confidential documents, then produce a report. Where you may not read something, you say so, and why.',
    ),
    new HumanMessage('Fetch document doc_9982, analyze it, and write a concise analysis report.'),
  ],
})
console.log(messages.at(-1)?.text)
