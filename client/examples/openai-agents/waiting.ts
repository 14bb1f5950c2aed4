// Waits for an approval without a running process. `node waiting.ts FILE` suspends the run to FILE when
// a person must decide, and ends; after the decision the same command resumes from FILE.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, RunState, run, setTracingDisabled, tool } from '@openai/agents'
import {
  ApprovalPendingError,
  documentTools,
  type JitOptions,
  LumoAuthAgent,
  openaiAgentsTools,
  reportTools,
} from '../../index.ts'

setTracingDisabled(true)
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
  : await agent.jit({ name: 'OpenAI Agents document analysis', ...options })
for (const { request_id } of stored?.task.requests ?? []) await jit.waitForApproval(request_id)

const { fetch_sensitive_document } = documentTools({ fetch: jit.fetch, documentsUrl })
const { write_analysis_report } = reportTools({ fetch: jit.fetch, documentsUrl })

/** Whether a person must decide before this document can be read. */
const needsApproval = async (_context: unknown, input: unknown): Promise<boolean> => {
  try {
    await fetch_sensitive_document.execute(input as { document_id: string })
    return false
  } catch (error) {
    if (error instanceof ApprovalPendingError) return true
    throw error
  }
}

const [read] = openaiAgentsTools(tool, { fetch_sensitive_document })
const [write] = openaiAgentsTools(tool, { write_analysis_report })
const analyst = new Agent({
  name: 'Senior Analyst',
  instructions: 'You retrieve and analyze confidential documents, then produce a report.',
  model: process.env.OPENAI_MODEL ?? 'gpt-4o',
  tools: [{ ...read, needsApproval }, write].flatMap((it) => it ?? []) as never,
})

const state = stored && (await RunState.fromString(analyst, stored.run))
for (const interruption of state?.getInterruptions() ?? []) state?.approve(interruption)

const result = await run(
  analyst,
  state ?? 'Fetch document doc_9982, analyze it, and write a concise analysis report.',
)
if (result.interruptions.length > 0) {
  writeFileSync(file, JSON.stringify({ task: jit.suspend(), run: result.state.toString() }))
  console.log('suspended')
} else {
  rmSync(file, { force: true })
  console.log(result.finalOutput)
}
