import * as agent from './agent.ts'
import type { Route } from './route.ts'
import * as token from './token.ts'

/** OAuth, under both prefixes (contract §2.1). */
export const oauthRoutes = {
  'oauth.token': {
    seat: 'issuer',
    method: 'POST',
    path: '/oauth/token',
    auth: 'none',
    summary: 'Issue a token',
    note: 'How a client authenticates depends on the grant (contract §2.1).',
    form: token.TokenForm,
    answers: { 200: token.TokenAnswer },
  },
  'oauth.introspect': {
    seat: 'issuer',
    method: 'POST',
    path: '/oauth/introspect',
    auth: 'client',
    summary: 'Tell whether a token is alive (RFC 7662)',
    form: token.IntrospectForm,
    answers: { 200: token.Introspection },
  },
  'oauth.revoke': {
    seat: 'issuer',
    method: 'POST',
    path: '/oauth/revoke',
    auth: 'caller',
    summary: 'Revoke a token (RFC 7009)',
    form: token.RevokeForm,
    answers: { 200: null },
  },
  'oauth.userinfo': {
    seat: 'issuer',
    method: 'GET',
    path: '/oauth/userinfo',
    auth: 'bearer',
    summary: 'Who the bearer is',
    answers: { 200: agent.AgentInfo.or(agent.UserInfo) },
  },
} as const satisfies Record<string, Route>
