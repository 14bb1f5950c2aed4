// Waits for an approval without a running process. `node waiting.ts FILE` suspends the run to FILE when
// a person must decide, and ends; after the decision the same command resumes from FILE.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import { Mastra } from '@mastra/core'
import { Agent } from '@mastra/core/agent'
import { InMemoryStore } from '@mastra/core/storage'
import { createTool } from '@mastra/core/tools'
import { z } from 'zod'
import {
  ApprovalPendingError,
  documentTools,
  type JitOptions,
  LumoAuthAgent,
  mastraTools,
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
  : await agent.jit({ name: 'Mastra document analysis', ...options })
for (const { request_id } of stored?.task.requests ?? []) await jit.waitForApproval(request_id)

const { fetch_sensitive_document: read } = documentTools({ fetch: jit.fetch, documentsUrl })
const { write_analysis_report } = reportTools({ fetch: jit.fetch, documentsUrl })

/** Reads a document. A pending request suspends the run, which calls the tool again later. */
const fetch_sensitive_document = createTool({
  id: read.name,
  description: read.description,
  inputSchema: z.object({ document_id: z.string() }),
  execute: async (input, context) => {
    try {
      return await read.execute(input)
    } catch (error) {
      if (!(error instanceof ApprovalPendingError)) throw error
      return context?.agent?.suspend?.({ request_id: error.requestId })
    }
  },
})

const {
  OPENAI_MODEL = 'gpt-4o',
  OPENAI_BASE_URL = 'https://api.openai.com/v1',
  OPENAI_API_KEY = '',
} = process.env
const analyst = new Agent({
  id: 'senior-analyst',
  name: 'Senior Analyst',
  instructions: 'You retrieve and analyze confidential documents, then produce a report.',
  model: { id: `openai/${OPENAI_MODEL}`, url: OPENAI_BASE_URL, apiKey: OPENAI_API_KEY },
  tools: { fetch_sensitive_document, ...mastraTools(createTool, { write_analysis_report }) },
})

// In production a storage with a database; here its state is in the file.
const storage = new InMemoryStore()
const mastra = new Mastra({ agents: { analyst }, storage, logger: false })
const runs = await storage.getStore('workflows')
for (const run of stored?.runs ?? []) await runs?.persistWorkflowSnapshot(run)

const result = stored
  ? await mastra.getAgent('analyst').resumeGenerate({ decided: true }, { runId: stored.runId })
  : await mastra
      .getAgent('analyst')
      .generate('Fetch document doc_9982, analyze it, and write a concise analysis report.')
if (result.finishReason === 'suspended') {
  const kept = (await runs?.listWorkflowRuns())?.runs ?? []
  const { runId } = result
  writeFileSync(file, serialize({ task: jit.suspend(), runs: kept, runId }))
  console.log('suspended')
} else {
  rmSync(file, { force: true })
  console.log(result.text)
}
