import { Jwks, ServerMetadata } from './discovery.ts'
import type { Route } from './route.ts'

/** Metadata and keys (contract §1.4). */
export const discoveryRoutes = {
  'discovery.oauth': {
    seat: 'issuer',
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    aliases: [
      '/.well-known/oauth-authorization-server/t/:tenant/api/v1',
      '/.well-known/oauth-authorization-server/orgs/:tenant/api/v1',
      '/.well-known/oauth-authorization-server/t/:tenant',
    ],
    auth: 'none',
    summary: 'Authorization server metadata (RFC 8414)',
    answers: { 200: ServerMetadata },
  },
  'discovery.openid': {
    seat: 'issuer',
    method: 'GET',
    path: '/.well-known/openid-configuration',
    aliases: [
      '/t/:tenant/.well-known/openid-configuration',
      '/orgs/:tenant/.well-known/openid-configuration',
    ],
    auth: 'none',
    summary: 'OpenID Provider metadata',
    answers: { 200: ServerMetadata },
  },
  'discovery.jwks': {
    seat: 'issuer',
    method: 'GET',
    path: '/.well-known/jwks.json',
    aliases: ['/t/:tenant/.well-known/jwks.json', '/orgs/:tenant/.well-known/jwks.json'],
    auth: 'none',
    summary: 'The public signing keys',
    answers: { 200: Jwks },
  },
} as const satisfies Record<string, Route>
