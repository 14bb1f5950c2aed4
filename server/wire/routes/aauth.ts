import type { Route } from './route.ts'

/**
 * Out of scope (CONTRACT.md#aauth). Each route answers 501, so that clients can tell it from a
 * wrong path.
 */
const notHere = <M extends Route['method'], P extends string>(
  method: M,
  path: P,
  aliases: readonly string[] = [],
) =>
  ({
    seat: 'issuer',
    method,
    path,
    aliases,
    auth: 'none',
    summary: 'AAuth is not part of this harness',
    source: 'CONTRACT.md#aauth',
    answers: {},
  }) as const

export const aauthRoutes = {
  'aauth.issuer': notHere('GET', '/.well-known/aauth-issuer', ['/.well-known/aauth-issuer']),
  'aauth.agents': notHere('GET', '/.well-known/aauth-agent'),
  'aauth.resources': notHere('GET', '/.well-known/aauth-resource'),
  'aauth.agent.token': notHere('POST', '/aauth/agent/token'),
  'aauth.agent.auth': notHere('GET', '/aauth/agent/auth'),
  'aauth.agent.issue': notHere('POST', '/aauth/agent/issue'),
  'aauth.agent.platform_token': notHere('POST', '/aauth/agent/platform-token'),
  'aauth.token.revoke': notHere('POST', '/aauth/token/revoke'),
  'aauth.resource.token': notHere('POST', '/aauth/resource/token'),
  'aauth.resource.token.verify': notHere('POST', '/aauth/resource/token/verify'),
  'aauth.auth.token.verify': notHere('POST', '/aauth/auth/token/verify'),
  'aauth.jwks': notHere('GET', '/aauth/jwks.json'),
  'aauth.agent.metadata': notHere('GET', '/aauth/agents/:agentId/metadata'),
  'aauth.agent.jwks': notHere('GET', '/aauth/agents/:agentId/jwks.json'),
  'aauth.resource.metadata': notHere('GET', '/aauth/resources/:resourceId/metadata'),
  'aauth.resource.jwks': notHere('GET', '/aauth/resources/:resourceId/jwks.json'),
} as const satisfies Record<string, Route>
