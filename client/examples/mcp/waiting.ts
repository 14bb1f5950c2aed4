// A host that does not wait in memory for a person. `node waiting.ts FILE` shows where a person has to
// approve, and ends; the same command goes on once the person has decided.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  ErrorCode,
  McpError,
  type UrlElicitationRequiredError,
} from '@modelcontextprotocol/sdk/types.js'

const file = process.argv[2] ?? 'waiting.json'
const server = [...process.execArgv, new URL('waiting-server.ts', import.meta.url).pathname, file]
const client = new Client(
  { name: 'host', version: '1.0.0' },
  { capabilities: { elicitation: { url: {} } } },
)
const env = { ...process.env } as Record<string, string>
const transport = new StdioClientTransport({ command: process.execPath, args: server, env })
await client.connect(transport)

const call = async (name: string, args: Record<string, unknown>) => {
  const { content } = await client.callTool({ name, arguments: args })
  return (content as { text: string }[]).map(({ text }) => text).join('\n')
}

try {
  const document = await call('fetch_sensitive_document', { document_id: 'doc_9982' })
  console.log(document)
  const content = document.startsWith('permission denied') ? 'Not permitted.' : document
  console.log(await call('write_analysis_report', { title: 'Analysis', content }))
} catch (error) {
  if (!(error instanceof McpError) || error.code !== ErrorCode.UrlElicitationRequired) throw error
  const { elicitations } = error as UrlElicitationRequiredError
  for (const { message, url } of elicitations) console.log(`suspended: ${message}: ${url}`)
} finally {
  await client.close()
}
