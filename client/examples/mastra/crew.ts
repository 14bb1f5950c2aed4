import { Agent } from '@mastra/core/agent'
import { createTool } from '@mastra/core/tools'
import { documentTools, LumoAuthAgent, mastraTools, reportTools } from '../../index.ts'

const documentsUrl = process.env.DOCUMENTS_API_URL ?? ''

// A task: the scope of all granted permissions. Leaving it, also by an error, revokes every token.
await using jit = await new LumoAuthAgent().jit({
  name: 'Mastra document analysis',
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

const {
  OPENAI_MODEL = 'gpt-4o',
  OPENAI_BASE_URL = 'https://api.openai.com/v1',
  OPENAI_API_KEY = '',
} = process.env

const analyst = new Agent({
  id: 'senior-analyst',
  name: 'Senior Analyst',
  instructions:
    'You retrieve and analyze confidential documents, then produce a report. Where you may not read something, you say so, and why.',
  model: { id: `openai/${OPENAI_MODEL}`, url: OPENAI_BASE_URL, apiKey: OPENAI_API_KEY },
  tools: mastraTools(createTool, { fetch_sensitive_document, write_analysis_report }),
})

const { text } = await analyst.generate(
  'Fetch document doc_9982, analyze it, and write a concise analysis report.',
)
console.log(text)
