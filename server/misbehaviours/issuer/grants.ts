import { type Act, misbehavioursOf } from '../../http/misbehave.ts'
import type { AuthorizationDetail, IssuerRoute } from '../../wire/index.ts'
import { parseJson } from '../../wire/json.ts'
import { alterSuccess, membersOf, resignToken, withMembers } from '../alter-answer.ts'
import { misleadRules, replaceEvents } from '../mislead-rules.ts'

const token: IssuerRoute[] = ['jit.request.token']

/** Misbehaviours of the grant and the lifetime of JIT tokens. */
export const grantMisbehaviours = misbehavioursOf('issuer', {
  'issuer-widens-actions': {
    says: 'A JIT token has an action that was not approved.',
    breaks: 'RAR-20',
    routes: token,
    act: alterGrant((detail) => ({ ...detail, actions: [...(detail.actions ?? []), 'delete'] })),
  },
  'issuer-drops-identifier': {
    says: 'A JIT token has no identifier, so it is valid for every resource.',
    breaks: 'RAR-20',
    routes: token,
    act: alterGrant(({ identifier: _, ...detail }) => detail),
  },
  'issuer-swaps-identifier': {
    says: 'A JIT token has another identifier than the approved one.',
    breaks: 'RAR-20',
    routes: token,
    act: alterGrant((detail) => ({ ...detail, identifier: 'doc_of_another_agent' })),
  },
  'issuer-adds-detail': {
    says: 'A JIT token has a second detail beside the approved one.',
    breaks: 'THR-05',
    routes: token,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, (claims) => ({
        ...claims,
        authorization_details: [
          ...(claims.authorization_details as AuthorizationDetail[]),
          { type: 'file_access', actions: ['delete'], identifier: '*' },
        ],
      })),
    ),
  },
  'issuer-narrows-silently': {
    says: 'A JIT token has no actions, but the token answer lists the approved ones.',
    breaks: 'RAR-10',
    routes: token,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, (claims) => ({
        ...claims,
        authorization_details: (claims.authorization_details as AuthorizationDetail[]).map(
          ({ actions: _, ...detail }) => detail,
        ),
      })),
    ),
  },
  'issuer-omits-details': {
    says: 'The answer to an exchange has no authorization_details.',
    breaks: 'RAR-10',
    routes: token,
    act: alterSuccess((answer) => withMembers(answer, { authorization_details: undefined })),
  },
  'issuer-token-without-details': {
    says: 'A JIT token has no authorization_details.',
    breaks: 'RAR-13',
    routes: token,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, ({ authorization_details: _, ...claims }) => claims),
    ),
  },
  'issuer-skips-ttl-cap': {
    says: 'The lifetime of a JIT token is not capped.',
    breaks: 'LUMO-TTL-MAX',
    routes: ['jit.request', 'jit.approve'],
    act: misleadRules((_context, { routed }) => {
      const { requested_ttl: asked, ttl = asked } = membersOf({
        body: parseJson(routed.request.body),
      })
      const uncapped = Number.isInteger(ttl) && { ttl: Number(ttl) }
      return {
        events: (events) =>
          events.map((event) => {
            if (event.type === 'permission.approved') return { ...event, ...uncapped }
            if (event.type !== 'permission.requested') return event
            return { ...event, request: { ...event.request, ...uncapped } }
          }),
      }
    }),
  },
  'issuer-outlives-task': {
    says: 'A JIT token expires later than its task.',
    breaks: 'THR-24',
    routes: token,
    act: misleadRules(({ context: { tenant } }) => ({
      events: replaceEvents('token.issued', (event) => {
        const decided = tenant.state.requests.get(event.requestId ?? '')?.decided
        const lifetime = decided?.as === 'approved' ? decided.ttl : 0
        const expiresAt = event.token.issuedAt + lifetime
        return [{ ...event, token: { ...event.token, expiresAt } }]
      }),
    })),
  },
  'issuer-misstates-granted-ttl': {
    says: 'granted_ttl is 60 seconds more than the lifetime of the token.',
    breaks: 'LUMO-GRANTED-TTL',
    routes: ['jit.request', 'jit.request.status', 'jit.approve'],
    act: alterSuccess((answer) => {
      const { granted_ttl: ttl } = membersOf(answer)
      return ttl === undefined ? answer : withMembers(answer, { granted_ttl: Number(ttl) + 60 })
    }),
  },
})

/** Issues a token for changed details. */
function alterGrant(change: (detail: AuthorizationDetail) => AuthorizationDetail): Act {
  return misleadRules(() => ({
    events: replaceEvents('token.issued', (event) => {
      const { detail } = event.token
      return [{ ...event, token: { ...event.token, ...(detail && { detail: change(detail) }) } }]
    }),
  }))
}
