// Waits for an approval without a running process. `node waiting.ts FILE` suspends the run to FILE when
// a person must decide, and ends; after the decision the same command resumes from FILE.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { openai } from '@ai-sdk/openai'
import { generateText, isStepCount, type ModelMessage } from 'ai'
import {
  ApprovalPendingError,
  aiSdkTools,
  documentTools,
  type JitOptions,
  LumoAuthAgent,
  reportTools,
} from '../../index.ts'

const file = process.argv[2] ?? 'waiting.json'
const stored = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
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
  : await agent.jit({ name: 'AI SDK document analysis', ...options })
for (const { request_id } of stored?.task.requests ?? []) await jit.waitForApproval(request_id)

const { fetch_sensitive_document } = documentTools({ fetch: jit.fetch, documentsUrl })
const { write_analysis_report } = reportTools({ fetch: jit.fetch, documentsUrl })
const tools = aiSdkTools({ fetch_sensitive_document, write_analysis_report })

/** Whether a person must decide before this document can be read. */
const needsApproval = async (input: { document_id: string }): Promise<boolean> => {
  try {
    await fetch_sensitive_document.execute(input)
    return false
  } catch (error) {
    if (error instanceof ApprovalPendingError) return true
    throw error
  }
}

const messages: ModelMessage[] = stored?.messages ?? [
  {
    role: 'user',
    content: 'Fetch document doc_9982, analyze it, and write a concise analysis report.',
  },
]
const result = await generateText({
  model: openai(process.env.OPENAI_MODEL ?? 'gpt-4o'),
  tools: {
    ...tools,
    fetch_sensitive_document: { ...tools.fetch_sensitive_document, needsApproval },
  },
  stopWhen: isStepCount(8),
  instructions: 'You retrieve and analyze confidential documents, then produce a report.',
  messages,
})
const waiting = result.content.flatMap((it) =>
  it.type === 'tool-approval-request' ? it.approvalId : [],
)
if (waiting.length > 0) {
  // The person decides at the issuer, and the tool reads the decision; this only resumes the call.
  const answer: ModelMessage = {
    role: 'tool',
    content: waiting.map((approvalId) => ({
      type: 'tool-approval-response',
      approvalId,
      approved: true,
    })),
  }
  const history = [...messages, ...result.response.messages, answer]
  writeFileSync(file, JSON.stringify({ task: jit.suspend(), messages: history }))
  console.log('suspended')
} else {
  rmSync(file, { force: true })
  console.log(result.text)
}
