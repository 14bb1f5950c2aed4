import { Jwks, ProtectedResource, ServerMetadata } from '../discovery.ts'
import * as mcp from '../mcp.ts'
import type { Route } from './route.ts'

/** The well-known segment between host and base path (RFC 8414 §3, RFC 9728 §3). */
const beforeBase = (document: string) => [
  `/.well-known/${document}/t/:tenant/api/v1`,
  `/.well-known/${document}/orgs/:tenant/api/v1`,
]

/** The RFC 8414 form, also without `/api/v1` (ASM-01, PRM-01). */
const between = (document: string) => [
  ...beforeBase(document),
  `/.well-known/${document}/t/:tenant`,
  `/.well-known/${document}/orgs/:tenant`,
]

/**
 * Below the tenant without `/api/v1`, and at the root for the first tenant
 * (CONTRACT.md#metadata-documents).
 */
const elsewhere = (document: string) => [
  `/t/:tenant/.well-known/${document}`,
  `/orgs/:tenant/.well-known/${document}`,
  `/.well-known/${document}`,
]

/** Metadata and keys, and MCP servers. */
export const discoveryRoutes = {
  'discovery.oauth': {
    seat: 'issuer',
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    aliases: [...between('oauth-authorization-server'), ...elsewhere('oauth-authorization-server')],
    auth: 'none',
    summary: 'Authorization server metadata (RFC 8414)',
    source: 'CONTRACT.md#metadata-documents',
    answers: { 200: ServerMetadata },
  },
  'discovery.openid': {
    seat: 'issuer',
    method: 'GET',
    path: '/.well-known/openid-configuration',
    aliases: [...between('openid-configuration'), ...elsewhere('openid-configuration')],
    auth: 'none',
    summary: 'OpenID Provider metadata',
    source: 'CONTRACT.md#metadata-documents',
    answers: { 200: ServerMetadata },
  },
  'discovery.jwks': {
    seat: 'issuer',
    method: 'GET',
    path: '/.well-known/jwks.json',
    aliases: elsewhere('jwks.json'),
    auth: 'none',
    summary: 'Read the public signing keys (JWKS)',
    source: 'CONTRACT.md#jwks',
    answers: { 200: Jwks },
  },
  'discovery.resource': {
    seat: 'issuer',
    method: 'GET',
    path: '/.well-known/oauth-protected-resource',
    aliases: [...beforeBase('oauth-protected-resource'), ...elsewhere('oauth-protected-resource')],
    auth: 'none',
    summary: 'Protected resource metadata (RFC 9728)',
    source: 'CONTRACT.md#protected-resource-metadata',
    note: 'Metadata of the MCP server; a list when there are several; of the API when there is none.',
    answers: { 200: ProtectedResource.or(ProtectedResource.array()) },
  },
  'discovery.resource.mcp': {
    seat: 'issuer',
    method: 'GET',
    path: '/.well-known/oauth-protected-resource/mcp/:serverId',
    aliases: beforeBase('oauth-protected-resource').map((path) => `${path}/mcp/:serverId`),
    auth: 'none',
    summary: 'Protected resource metadata of one MCP server',
    source: 'CONTRACT.md#protected-resource-metadata',
    answers: { 200: ProtectedResource },
  },
  'mcp.servers.list': {
    seat: 'issuer',
    method: 'GET',
    path: '/mcp/servers',
    auth: 'bearer',
    summary: 'List the MCP servers',
    source: 'CONTRACT.md#mcp-server-list',
    answers: { 200: mcp.McpServerList },
  },
  'mcp.servers.get': {
    seat: 'issuer',
    method: 'GET',
    path: '/mcp/servers/:serverId',
    auth: 'bearer',
    summary: 'Read one MCP server, with its authorization URLs',
    source: 'CONTRACT.md#mcp-server-list',
    answers: { 200: mcp.McpServerDetails },
  },
  'mcp.challenge': {
    seat: 'issuer',
    method: 'GET',
    path: '/mcp/:serverId/challenge',
    auth: 'none',
    summary: 'Read the challenge of an MCP server',
    source: 'CONTRACT.md#mcp-challenge',
    answers: { 200: mcp.McpAdmitted },
  },
  'mcp.challenge.post': {
    seat: 'issuer',
    method: 'POST',
    path: '/mcp/:serverId/challenge',
    auth: 'none',
    summary: 'Read the challenge of an MCP server, with POST',
    source: 'CONTRACT.md#mcp-challenge',
    answers: { 200: mcp.McpAdmitted },
  },
} as const satisfies Record<string, Route>
