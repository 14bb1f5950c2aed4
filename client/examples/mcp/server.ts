import { createServer } from 'node:http'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js'
import { documentTools, LumoAuthAgent, registerMcpTools, reportTools } from '../../index.ts'

// An MCP server whose tools request permissions themselves: `node server.ts` uses standard input and
// output, `node server.ts --http 4500` uses http://127.0.0.1:4500/mcp.
const {
  LUMOAUTH_URL = '',
  LUMOAUTH_TENANT = '',
  DOCUMENTS_API_URL: documentsUrl = '',
  JIT_POLL_TIMEOUT = '300',
} = process.env

// A task: the scope of all granted permissions. It ends with the server.
const jit = await new LumoAuthAgent().jit({
  name: 'MCP document analysis',
  origins: [documentsUrl],
  allow: [
    { type: 'file_access', actions: ['read', 'write'] },
    { type: 'user_data', actions: ['read'] },
  ],
  limit: Number(JIT_POLL_TIMEOUT),
})

const options = { fetch: jit.fetch, documentsUrl }
const { fetch_sensitive_document } = documentTools(options)
const { write_analysis_report } = reportTools(options)

/** A caller that must wait for an approval is told where to approve. */
const stepUp = {
  url: `${LUMOAUTH_URL}/console/${LUMOAUTH_TENANT}`,
  error: UrlElicitationRequiredError,
}

const createMcpServer = () => {
  const server = new McpServer({ name: 'documents', version: '1.0.0' })
  registerMcpTools(server, { fetch_sensitive_document, write_analysis_report }, { stepUp })
  return server
}

const ended = Promise.withResolvers<void>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.resolve())

const [, , flag, port = '0'] = process.argv
if (flag === '--http') {
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const http = createServer(async (request, response) => {
    const known = sessions.get(String(request.headers['mcp-session-id']))
    if (known) return known.handleRequest(request, response)
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    await createMcpServer().connect(transport)
    return transport.handleRequest(request, response)
  })
  http.listen(Number(port), '127.0.0.1', () => {
    const address = http.address()
    if (typeof address === 'object') console.log(`http://127.0.0.1:${address?.port}/mcp`)
  })
  await ended.promise
  http.closeAllConnections()
  http.close()
} else {
  const transport = new StdioServerTransport()
  process.stdin.once('end', () => ended.resolve())
  await createMcpServer().connect(transport)
  await ended.promise
}
await jit.completeTask()
process.exit()
