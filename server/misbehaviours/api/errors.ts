import { bearerToken } from '../../http/authorization-field.ts'
import type { Answer } from '../../http/message.ts'
import { misbehavioursOf } from '../../http/misbehave.ts'
import { peekJwt } from '../../signing/peek.ts'
import { alterError, asHtml, membersOf, withFields, withMembers } from '../alter-answer.ts'

/** Misbehaviours of the API's errors. */
export const apiErrorMisbehaviours = misbehavioursOf('api', {
  'api-403-instead-of-401': {
    says: 'An invalid token gets 403.',
    breaks: 'AT-08',
    act: alterError((answer) =>
      membersOf(answer).error === 'invalid_token' ? withStatus(answer, 403) : answer,
    ),
  },
  'api-hides-authenticate': {
    says: 'A 401 comes without WWW-Authenticate.',
    breaks: 'BRR-07',
    act: alterError((answer) =>
      answer.status === 401 ? withFields(answer, { 'www-authenticate': undefined }) : answer,
    ),
  },
  'api-accuses-without-token': {
    says: 'A request without a token gets invalid_token.',
    breaks: 'BRR-04',
    act: alterError((answer) =>
      membersOf(answer).error === 'missing_token'
        ? withFields(withMembers(answer, { error: 'invalid_token', code: 'invalid_token' }), {
            'www-authenticate': 'Bearer error="invalid_token"',
          })
        : answer,
    ),
  },
  'api-explains-invalid-token': {
    says: 'An error says why the token is invalid.',
    breaks: 'THR-26',
    act: alterError((answer, { routed: { request }, context: { tenant } }) => {
      if (membersOf(answer).error !== 'invalid_token') return answer
      const { exp } = peekJwt(bearerToken(request))?.claims ?? {}
      const why = Number(exp) <= tenant.clock.now() ? 'the token has expired' : 'wrong signature'
      return withMembers(answer, { error_description: why, message: why })
    }),
  },
  'api-leaks-token': {
    says: 'Errors contain the token of the request.',
    breaks: 'THR-27',
    act: alterError((answer, { routed: { request } }) =>
      withMembers(answer, { received: request.headers.authorization }),
    ),
  },
  'api-ok-with-error': {
    says: 'Errors have HTTP status 200.',
    breaks: 'BRR-05',
    act: alterError((answer) => ({ ...answer, status: 200 })),
  },
  'api-html-error': {
    says: 'Errors are HTML pages.',
    breaks: 'LUMO-ERROR-BODY',
    act: alterError(asHtml),
  },
  'api-allows-storing-refusals': {
    says: 'Errors lack Cache-Control.',
    breaks: 'RES-13',
    act: alterError((answer) => withFields(answer, { 'cache-control': undefined })),
  },
})

const withStatus = (answer: Answer, status: number): Answer => ({
  ...withMembers(answer, { status }),
  status,
})
