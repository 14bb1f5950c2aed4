import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  ErrorCode,
  McpError,
  type UrlElicitationRequiredError,
} from '@modelcontextprotocol/sdk/types.js'

// A minimal host: a model, an MCP client, and the server next to this file. The agent's credentials
// stay with the server: neither the model nor the host receives a token.
const server = [...process.execArgv, new URL('server.ts', import.meta.url).pathname]

/** The server as a child process on standard input and output, or over HTTP. */
const connected = async (client: Client): Promise<AsyncDisposable> => {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('OPENAI_')),
  ) as Record<string, string>
  if (process.env.MCP_TRANSPORT !== 'http') {
    const transport = new StdioClientTransport({ command: process.execPath, args: server, env })
    await client.connect(transport)
    return { [Symbol.asyncDispose]: () => client.close() }
  }
  const child = spawn(process.execPath, [...server, '--http', '0'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  await client.connect(new StreamableHTTPClientTransport(new URL(String(line).trim())))
  return {
    [Symbol.asyncDispose]: async () => {
      await client.close()
      child.kill()
      await once(child, 'exit')
    },
  }
}

/** Shows where a person must approve, then calls again: the server has kept the call waiting. */
const call = async (client: Client, name: string, args: Record<string, unknown>) => {
  for (let asked = false; ; asked = true) {
    try {
      const { content } = await client.callTool({ name, arguments: args })
      return (content as { text: string }[]).map(({ text }) => text).join('\n')
    } catch (error) {
      if (!(error instanceof McpError) || error.code !== ErrorCode.UrlElicitationRequired)
        throw error
      const { elicitations } = error as UrlElicitationRequiredError
      if (!asked) for (const { message, url } of elicitations) console.log(`${message}: ${url}`)
    }
  }
}

type Message = Readonly<{
  role: string
  content: string | null
  tool_call_id?: string
  tool_calls?: readonly { id: string; function: { name: string; arguments: string } }[]
}>

const { OPENAI_BASE_URL = 'https://api.openai.com/v1', OPENAI_API_KEY, OPENAI_MODEL } = process.env

const next = async (messages: readonly Message[], tools: readonly object[]): Promise<Message> => {
  const response = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${OPENAI_API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: OPENAI_MODEL ?? 'gpt-4o', messages, tools }),
  })
  const body = (await response.json()) as {
    error?: { message: string }
    choices: [{ message: Message }]
  }
  if (body.error) throw new Error(body.error.message)
  return body.choices[0].message
}

const client = new Client(
  { name: 'analyst', version: '1.0.0' },
  { capabilities: { elicitation: { url: {} } } },
)
await using _server = await connected(client)
const tools = (await client.listTools()).tools.map(({ name, description, inputSchema }) => ({
  type: 'function',
  function: { name, description, parameters: inputSchema },
}))

const messages: Message[] = [
  {
    role: 'system',
    content:
      'You are a senior analyst. You retrieve and analyze confidential documents, then produce a report. Where you may not read something, you say so, and why.',
  },
  {
    role: 'user',
    content: 'Fetch document doc_9982, analyze it, and write a concise analysis report.',
  },
]
for (let turn = 1; turn <= 8; turn += 1) {
  const said = await next(messages, tools)
  messages.push(said)
  if (!said.tool_calls?.length) {
    console.log(said.content)
    break
  }
  for (const {
    id,
    function: { name, arguments: json },
  } of said.tool_calls) {
    const content = await call(client, name, JSON.parse(json))
    messages.push({ role: 'tool', tool_call_id: id, content })
  }
}
