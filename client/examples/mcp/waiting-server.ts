// An MCP server that waits for an approval without a running process: it ends with its host, and the
// next server resumes the task in FILE. A pending call is answered with the error -32042 and the
// approvals page.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js'
import {
  documentTools,
  type JitOptions,
  LumoAuthAgent,
  registerMcpTools,
  reportTools,
} from '../../index.ts'

const [, , file = 'waiting.json'] = process.argv
const { LUMOAUTH_URL, LUMOAUTH_TENANT, DOCUMENTS_API_URL: documentsUrl = '' } = process.env
const options: JitOptions = {
  origins: [documentsUrl],
  allow: [
    { type: 'file_access', actions: ['read', 'write'] },
    { type: 'user_data', actions: ['read'] },
  ],
  whenPending: 'throw',
}

const agent = new LumoAuthAgent()
const jit = existsSync(file)
  ? agent.resume(JSON.parse(readFileSync(file, 'utf8')), options)
  : await agent.jit({ name: 'MCP document analysis', ...options })

const server = new McpServer({ name: 'documents', version: '1.0.0' })
const { fetch_sensitive_document } = documentTools({ fetch: jit.fetch, documentsUrl })
const { write_analysis_report } = reportTools({ fetch: jit.fetch, documentsUrl })
registerMcpTools(
  server,
  { fetch_sensitive_document, write_analysis_report },
  {
    stepUp: {
      url: `${LUMOAUTH_URL}/console/${LUMOAUTH_TENANT}`,
      error: UrlElicitationRequiredError,
    },
  },
)
const ended = new Promise((resolve) => process.stdin.once('end', resolve))
await server.connect(new StdioServerTransport())
await ended
const suspended = jit.suspend()
if (suspended.requests.length > 0) {
  writeFileSync(file, JSON.stringify(suspended))
} else {
  rmSync(file, { force: true })
  await agent.resume(suspended).completeTask()
}
process.exit()
