import { type Act, misbehavioursOf } from '../../http/misbehave.ts'
import type { AuthorizationDetail, IssuerRoute } from '../../wire/index.ts'
import { parseJson } from '../../wire/json.ts'
import { alterSuccess, membersOf, resignToken, withMembers } from '../alter-answer.ts'
import { misleadRules, replaceEvents } from '../mislead-rules.ts'

const token: IssuerRoute[] = ['jit.request.token']

/** What a JIT token grants, and for how long: more, less or something else than was approved. */
export const grantMisbehaviours = misbehavioursOf('issuer', {
  'issuer-widens-actions': {
    says: 'A JIT token holds an action that nobody approved.',
    breaks: 'RAR-20',
    routes: token,
    act: alterGrant((detail) => ({ ...detail, actions: [...(detail.actions ?? []), 'delete'] })),
  },
  'issuer-drops-identifier': {
    says: 'A JIT token is good for every resource: its identifier is gone.',
    breaks: 'RAR-20',
    routes: token,
    act: alterGrant(({ identifier: _, ...detail }) => detail),
  },
  'issuer-swaps-identifier': {
    says: 'A JIT token names another resource than the one that was approved.',
    breaks: 'RAR-20',
    routes: token,
    act: alterGrant((detail) => ({ ...detail, identifier: 'doc_of_somebody_else' })),
  },
  'issuer-adds-detail': {
    says: 'A JIT token holds a second detail beside the approved one.',
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
    says: 'A JIT token holds no action, while its answer lists all that was approved.',
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
    says: 'The answer to an exchange does not say what was granted.',
    breaks: 'RAR-10',
    routes: token,
    act: alterSuccess((answer) => withMembers(answer, { authorization_details: undefined })),
  },
  'issuer-token-without-details': {
    says: 'A JIT token does not say what it grants.',
    breaks: 'RAR-13',
    routes: token,
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, ({ authorization_details: _, ...claims }) => claims),
    ),
  },
  'issuer-skips-ttl-cap': {
    says: 'A JIT token lives for as long as the agent or the approver likes.',
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
    says: 'A JIT token lives on when its task is over.',
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
    says: 'granted_ttl is a minute more than the token gets.',
    breaks: 'LUMO-GRANTED-TTL',
    routes: ['jit.request', 'jit.request.status', 'jit.approve'],
    act: alterSuccess((answer) => {
      const { granted_ttl: ttl } = membersOf(answer)
      return ttl === undefined ? answer : withMembers(answer, { granted_ttl: Number(ttl) + 60 })
    }),
  },
})

/** Issues for other details than those that were approved. */
function alterGrant(change: (detail: AuthorizationDetail) => AuthorizationDetail): Act {
  return misleadRules(() => ({
    events: replaceEvents('token.issued', (event) => {
      const { detail } = event.token
      return [{ ...event, token: { ...event.token, ...(detail && { detail: change(detail) }) } }]
    }),
  }))
}
