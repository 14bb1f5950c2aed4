import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Harness } from '../../server/index.ts'
import type {
  Exchange,
  JournalEntry,
  ModelConversation,
  TenantCreated,
} from '../../server/wire/index.ts'
import { compiled, nodeEnvironmentFor, runNode } from './node.ts'
import { environmentWith, type Finished, pythonMissing, runPython } from './python.ts'

/** An example of `client/examples`, which runs by its README. */
export type Framework = Readonly<{
  name: string
  language: 'Python' | 'TypeScript'
  folder: string
  main: string
  /** The package whose version is the framework's. */
  package: string
  environment?: Readonly<Record<string, string>>
  /** How its guide writes: some only read. */
  writes?: 'reports' | 'summaries'
  /** Skipped unless `INTEROP=all`. */
  onDemand?: true
}>

export const frameworks: readonly Framework[] = [
  {
    name: 'CrewAI',
    language: 'Python',
    folder: 'crewai',
    main: 'crew.py',
    package: 'crewai',
    writes: 'reports',
  },
  {
    name: 'LangGraph',
    language: 'Python',
    folder: 'langgraph-py',
    main: 'graph.py',
    package: 'langgraph',
    onDemand: true,
  },
  {
    name: 'OpenAI Agents',
    language: 'Python',
    folder: 'openai-agents-py',
    main: 'analyst.py',
    package: 'openai-agents',
    writes: 'summaries',
    onDemand: true,
  },
  {
    name: 'Agno',
    language: 'Python',
    folder: 'agno',
    main: 'analyst.py',
    package: 'agno',
    onDemand: true,
  },
  {
    name: 'Google ADK',
    language: 'Python',
    folder: 'google-adk',
    main: 'analyst.py',
    package: 'google-adk',
    writes: 'reports',
    onDemand: true,
  },
  {
    name: 'AI SDK',
    language: 'TypeScript',
    folder: 'ai-sdk',
    main: 'crew.ts',
    package: 'ai',
    writes: 'reports',
  },
  {
    name: 'LangGraph',
    language: 'TypeScript',
    folder: 'langgraph',
    main: 'crew.ts',
    package: '@langchain/langgraph',
    writes: 'reports',
  },
  {
    name: 'OpenAI Agents',
    language: 'TypeScript',
    folder: 'openai-agents',
    main: 'crew.ts',
    package: '@openai/agents',
    writes: 'reports',
  },
  {
    name: 'MCP over stdio',
    language: 'TypeScript',
    folder: 'mcp',
    main: 'crew.ts',
    package: '@modelcontextprotocol/sdk',
    writes: 'reports',
  },
  {
    name: 'MCP over HTTP',
    language: 'TypeScript',
    folder: 'mcp',
    main: 'crew.ts',
    package: '@modelcontextprotocol/sdk',
    writes: 'reports',
    environment: { MCP_TRANSPORT: 'http' },
  },
  {
    name: 'Mastra',
    language: 'TypeScript',
    folder: 'mastra',
    main: 'crew.ts',
    package: '@mastra/core',
    writes: 'reports',
    onDemand: true,
  },
]

const examples = join(import.meta.dirname, '../../client/examples')

/**
 * The command that runs an example with the packages it names, installed outside the repository.
 */
export const prepared = async ({
  language,
  folder,
  main,
  environment: own = {},
}: Framework): Promise<Run> => {
  if (language === 'Python') {
    const python = await environmentWith(...requirementsOf(folder))
    return (given) => runPython(python, join(examples, folder, main), { ...given, ...own })
  }
  const home = await nodeEnvironmentFor(join(examples, folder))
  return (given) => runNode(home, join('client/examples', folder, main), { ...given, ...own })
}

/** The compiler errors of an example with its packages, which are not our dependencies. */
export const typeErrors = async ({ folder }: Framework): Promise<string> =>
  compiled(await nodeEnvironmentFor(join(examples, folder)), join('client/examples', folder))

export type Run = (environment: Readonly<Record<string, string>>) => Promise<Finished>

/** Why an example cannot run here; undefined when it can. */
export const missing = async ({ language, onDemand }: Framework): Promise<string | undefined> => {
  if (onDemand && process.env.INTEROP !== 'all') return 'on demand: INTEROP=all'
  return language === 'Python' ? pythonMissing() : undefined
}

export const versionOf = ({ language, folder, package: name }: Framework): string => {
  if (language === 'Python') {
    const pinned = requirementsOf(folder).find((line) => line.startsWith(`${name}==`))
    return pinned?.split('==')[1] ?? '?'
  }
  const { dependencies } = JSON.parse(readFileSync(join(examples, folder, 'package.json'), 'utf8'))
  return dependencies[name] ?? '?'
}

export const requirementsOf = (folder: string): string[] =>
  readFileSync(join(examples, folder, 'requirements.txt'), 'utf8')
    .trim()
    .split('\n')

/** Everything a run left behind. */
export type Traces = Readonly<{
  journal: readonly JournalEntry[]
  exchanges: readonly Exchange[]
  conversations: readonly ModelConversation[]
}>

export const tracesOf = async (harness: Harness, { tenant }: TenantCreated): Promise<Traces> => {
  const read = async (path: string) => {
    const url = `${harness.issuer}/_harness/tenants/${tenant}/${path}`
    const headers = { authorization: `Bearer ${harness.controlToken}` }
    return (await (await fetch(url, { headers })).json()) as never
  }
  const { entries }: { entries: JournalEntry[] } = await read('journal')
  return {
    journal: entries,
    exchanges: ((await read('exchanges')) as { exchanges: Exchange[] }).exchanges,
    conversations: ((await read('conversations')) as { conversations: ModelConversation[] })
      .conversations,
  }
}

/** A proxy that rejects every request and records it: only loopback is reachable. */
export const noNetwork = async () => {
  const tried: string[] = []
  const server = createServer(({ url = '' }, response) => {
    tried.push(url)
    response.writeHead(403).end()
  })
  server.on('connect', ({ url = '' }, socket) => {
    tried.push(url)
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    tried,
    environment: {
      HTTP_PROXY: url,
      HTTPS_PROXY: url,
      ALL_PROXY: url,
      http_proxy: url,
      https_proxy: url,
      NO_PROXY: '127.0.0.1,localhost',
      no_proxy: '127.0.0.1,localhost',
      NODE_USE_ENV_PROXY: '1',
    },
    close: () => server.close(),
  }
}
