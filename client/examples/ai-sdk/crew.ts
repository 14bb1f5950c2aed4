import { openai } from '@ai-sdk/openai'
import { generateText, isStepCount } from 'ai'
import { aiSdkTools, documentTools, LumoAuthAgent, reportTools } from '../../index.ts'

const documentsUrl = process.env.DOCUMENTS_API_URL ?? ''

// A task: the scope of all granted permissions. Leaving it, also by an error, revokes every token.
await using jit = await new LumoAuthAgent().jit({
  name: 'AI SDK document analysis',
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

const { text } = await generateText({
  model: openai(process.env.OPENAI_MODEL ?? 'gpt-4o'),
  tools: aiSdkTools({ fetch_sensitive_document, write_analysis_report }),
  stopWhen: isStepCount(8),
  instructions:
    'You are a senior analyst. You retrieve and analyze confidential documents, then produce a report. Where you may not read something, you say so, and why.',
  prompt: 'Fetch document doc_9982, analyze it, and write a concise analysis report.',
})
console.log(text)
