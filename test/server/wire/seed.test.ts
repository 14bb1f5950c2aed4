import { describe, expect, it } from 'vitest'
import { TenantSeed } from '../../../server/wire/index.ts'

const problems = (seed: object) =>
  TenantSeed.safeParse(seed).error?.issues.map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  ) ?? []

const redirect_uris = ['http://127.0.0.1/cb']
const mcpServer = { server_id: 'm', name: 'M', resource_uri: 'https://m.example' }

describe('a tenant seed', () => {
  it.each([
    [
      'two agents of one name',
      { agents: [{ name: 'a' }, { name: 'a', client_id: 'b' }] },
      'agents.1.name: expected each name once: "a" is an agent already',
    ],
    [
      'an application with the client_id of an agent',
      { agents: [{ name: 'a' }], applications: [{ name: 'p', client_id: 'a', redirect_uris }] },
      'applications.0: expected each name once: "a" is a client_id already',
    ],
    [
      'an agent with the client_id of the documents API',
      { agents: [{ name: 'documents-api' }] },
      'agents.0: "documents-api" is reserved: choose another client_id',
    ],
    [
      'an application with the client_id of the control plane',
      { applications: [{ name: 'control-plane', redirect_uris }] },
      'applications.0: "control-plane" is reserved: choose another client_id',
    ],
    [
      'two users with one id',
      { users: [{ email: 'ada@a.example' }, { email: 'ada@b.example' }] },
      'users.1.email: expected each name once: "ada" is a user already',
    ],
    [
      'two documents of one id',
      {
        documents: [
          { id: 'doc_1', title: 'A', classification: 'public', body: '' },
          { id: 'doc_1', title: 'B', classification: 'public', body: '' },
        ],
      },
      'documents.1.id: expected each name once: "doc_1" is a document already',
    ],
    [
      'two reports with one id',
      {
        reports: [
          { id: 'FY1', title: 'A' },
          { id: 'FY1', title: 'B' },
        ],
      },
      'reports.1.id: expected each name once: "FY1" is a report already',
    ],
    [
      'an API key of an agent that does not exist',
      { api_keys: [{ name: 'k', agent: 'missing' }] },
      'api_keys.0.agent: expected the name of an agent of this tenant, received "missing"',
    ],
    [
      'an API key of a user that does not exist',
      { users: [{ email: 'a@a.example' }], api_keys: [{ name: 'k', user: 'b@a.example' }] },
      'api_keys.0.user: expected the e-mail address of a user of this tenant, received "b@a.example"',
    ],
    [
      'two API keys of one name',
      { api_keys: [{ name: 'k' }, { name: 'k' }] },
      'api_keys.1.name: expected each name once: "k" is an API key already',
    ],
    [
      'two MCP servers of one id',
      { mcp_servers: [mcpServer, mcpServer] },
      'mcp_servers.1.server_id: expected each name once: "m" is an MCP server already',
    ],
    [
      'an MCP server for an agent that does not exist',
      { agents: [{ name: 'a' }], mcp_servers: [{ ...mcpServer, agents: ['a', 'x'] }] },
      'mcp_servers.0.agents.1: expected the name of an agent of this tenant, received "x"',
    ],
    [
      'a workload of an agent that does not exist',
      { workload: [{ provider: 'aws', issuer: 'https://i.example', subject: 's', agent: 'x' }] },
      'workload.0.agent: expected the name of an agent of this tenant, received "x"',
    ],
    [
      'a redirect URI with a wildcard',
      { agents: [{ name: 'a', redirect_uris: [...redirect_uris, 'https://*.a.example/cb'] }] },
      'agents.0.redirect_uris.1: expected the whole URI: wildcards are not supported (RFC 6749 §3.1.2.3)',
    ],
    [
      'a scope that RFC 6749 §3.3 does not allow',
      { agents: [{ name: 'a', capabilities: ['read "all"'] }] },
      'agents.0.capabilities.0: expected a scope: printable, without spaces and quotes',
    ],
  ])('is rejected with %s', (_, seed, problem) => {
    expect(problems(seed)).toContain(problem)
  })

  it('reports every problem at once', () => {
    const seed = {
      agents: [{ name: 'a' }, { name: 'a' }],
      api_keys: [{ name: 'k', agent: 'x' }, { name: 'k' }],
    }

    expect(problems(seed)).toHaveLength(4)
    expect(TenantSeed.safeParse(seed).error?.issues.map(({ code }) => code)).toEqual(
      Array(4).fill('custom'),
    )
  })

  it('may refer to the agents and users it names', () => {
    const seed = {
      agents: [{ name: 'a', redirect_uris }],
      users: [{ email: 'ada@a.example' }, { email: 'bob@a.example' }],
      api_keys: [
        { name: 'k', agent: 'a' },
        { name: 'l', user: 'bob@a.example' },
      ],
      mcp_servers: [
        { ...mcpServer, agents: ['a'] },
        { ...mcpServer, server_id: undefined },
        { ...mcpServer, server_id: undefined },
      ],
    }

    expect(problems(seed)).toEqual([])
  })

  it('may be empty', () => {
    expect(problems({})).toEqual([])
  })
})
