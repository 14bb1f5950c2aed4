import { misbehavioursOf } from '../../http/misbehave.ts'
import type { State } from '../../issuer/state.ts'
import { hashSecret } from '../../signing/secrets.ts'
import { cibaGrant, deviceCodeGrantType, type IssuerRoute } from '../../wire/index.ts'
import { alterAnswer, alterSuccess, membersOf, withMembers } from '../alter-answer.ts'
import { misleadRules, withRecord } from '../mislead-rules.ts'

const token: IssuerRoute[] = ['oauth.token']

/** Misbehaviours of grants that a person decides in another place than the client: devices, and CIBA. */
export const outOfBandMisbehaviours = misbehavioursOf('issuer', {
  'issuer-device-forgets-denial': {
    says: 'A device that was denied keeps getting authorization_pending.',
    breaks: 'LUMO-DEVICE',
    routes: token,
    act: misleadRules((_context, { routed: { request } }) => {
      const code = hashSecret(new URLSearchParams(request.body).get('device_code') ?? '')
      return {
        state: (state) => withRecord(state, 'devices', code, ({ denied: _, ...record }) => record),
      }
    }),
  },
  'issuer-device-code-works-twice': {
    says: 'A device code gets tokens more than once.',
    breaks: 'LUMO-DEVICE',
    routes: token,
    act: misleadRules((_context, { routed: { request } }) => {
      const code = hashSecret(new URLSearchParams(request.body).get('device_code') ?? '')
      return {
        state: (state: State) =>
          withRecord(state, 'grants', state.codes.get(code), (grant) => ({
            ...grant,
            redeemed: false,
          })),
      }
    }),
  },
  'issuer-device-ends-polling': {
    says: 'A device that waits for its person gets invalid_grant instead of authorization_pending.',
    breaks: 'LUMO-DEVICE',
    routes: token,
    act: alterAnswer((answer, { routed: { request } }) =>
      grantOf(request.body) === deviceCodeGrantType &&
      membersOf(answer).error === 'authorization_pending'
        ? withMembers(answer, { error: 'invalid_grant', code: 'invalid_grant' })
        : answer,
    ),
  },
  'issuer-ciba-forgets-denial': {
    says: 'A CIBA request that was denied keeps getting authorization_pending.',
    breaks: 'LUMO-CIBA',
    routes: token,
    act: alterAnswer((answer, { routed: { request } }) =>
      grantOf(request.body) === cibaGrant && membersOf(answer).error === 'access_denied'
        ? withMembers(answer, { error: 'authorization_pending', code: 'authorization_pending' })
        : answer,
    ),
  },
  'issuer-ciba-omits-request-id': {
    says: 'The token answer of CIBA has neither jit_request_id nor task_id.',
    breaks: 'LUMO-CIBA',
    routes: token,
    act: alterSuccess((answer, { routed: { request } }) =>
      grantOf(request.body) === cibaGrant
        ? withMembers(answer, { jit_request_id: undefined, task_id: undefined })
        : answer,
    ),
  },
})

const grantOf = (body: string) => new URLSearchParams(body).get('grant_type')
