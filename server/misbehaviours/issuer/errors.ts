import { errorAnswer } from '../../http/errors.ts'
import type { HttpRequest } from '../../http/message.ts'
import { misbehavioursOf } from '../../http/misbehave.ts'
import { findExcess } from '../../wire/json.ts'
import {
  alterError,
  alterSuccess,
  asHtml,
  membersOf,
  withFields,
  withMembers,
} from '../alter-answer.ts'

/** What the issuer does wrong with the form of its answers. */
export const errorMisbehaviours = misbehavioursOf('issuer', {
  'issuer-wrong-content-type': {
    says: 'JSON is sent as text/html.',
    breaks: 'LUMO-CONTENT-TYPE',
    act: alterSuccess((answer) =>
      answer.body === undefined
        ? answer
        : withFields(answer, { 'content-type': 'text/html; charset=utf-8' }),
    ),
  },
  'issuer-ok-with-error': {
    says: 'Refusals are sent with status 200.',
    breaks: 'LUMO-ERROR-STATUS',
    act: alterError((answer) => ({ ...answer, status: 200 })),
  },
  'issuer-misstates-status': {
    says: 'The status in the body of an error is not the one of the answer.',
    breaks: 'LUMO-ERROR-BODY',
    act: alterError((answer) => withMembers(answer, { status: 418 })),
  },
  'issuer-crashes-on-bad-input': {
    says: 'Bad input is a server error, 500.',
    breaks: 'LUMO-ERROR-STATUS',
    act: alterError((answer) =>
      answer.status === 400 && /^invalid_/.test(String(membersOf(answer).error))
        ? errorAnswer(500, 'server_error', 'something went wrong')
        : answer,
    ),
  },
  'issuer-crashes-on-deep-json': {
    says: 'JSON that is nested too deep is a server error, 500.',
    breaks: 'JSON-DEPTH',
    act: alterError((answer, { routed: { request } }) =>
      findExcess(request.body) === undefined
        ? answer
        : errorAnswer(500, 'server_error', 'Maximum call stack size exceeded'),
    ),
  },
  'issuer-omits-description': {
    says: 'Errors have a code, and nothing for a person to read.',
    breaks: 'LUMO-ERROR-BODY',
    act: alterError((answer) =>
      withMembers(answer, { error_description: undefined, message: undefined }),
    ),
  },
  'issuer-error-is-true': {
    says: 'error is true, as in the admin API, and not a code.',
    breaks: 'LUMO-ERROR-BODY',
    act: alterError((answer) => withMembers(answer, { error: true })),
  },
  'issuer-html-error': {
    says: 'Errors are pages of HTML.',
    breaks: 'LUMO-ERROR-BODY',
    act: alterError(asHtml),
  },
  'issuer-stack-trace': {
    says: 'Errors show a stack trace.',
    breaks: 'THR-26',
    act: alterError((answer) =>
      withMembers(answer, {
        stack:
          'Error: refused\n    at Issuer.handle (/srv/lumo/src/issuer.ts:42:11)\n    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
      }),
    ),
  },
  'issuer-leaks-secrets': {
    says: 'Errors repeat the secret or the token of the request.',
    breaks: 'THR-27',
    act: alterError((answer, { routed: { request } }) => {
      const description = `${membersOf(answer).error_description} (received ${secretIn(request)})`
      return withMembers(answer, { error_description: description, message: description })
    }),
  },
  'issuer-allows-storing-errors': {
    says: 'Errors may be stored: Cache-Control is missing.',
    breaks: 'THR-27',
    act: alterError((answer) => withFields(answer, { 'cache-control': undefined })),
  },
})

const secretIn = ({ headers, body }: HttpRequest) =>
  new URLSearchParams(body).get('client_secret') ?? headers.authorization ?? 'nothing'
