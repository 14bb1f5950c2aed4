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

/** Misbehaviours of the format of answers. */
export const errorMisbehaviours = misbehavioursOf('issuer', {
  'issuer-wrong-content-type': {
    says: 'JSON has content-type text/html.',
    breaks: 'LUMO-CONTENT-TYPE',
    act: alterSuccess((answer) =>
      answer.body === undefined
        ? answer
        : withFields(answer, { 'content-type': 'text/html; charset=utf-8' }),
    ),
  },
  'issuer-ok-with-error': {
    says: 'Errors have HTTP status 200.',
    breaks: 'LUMO-ERROR-STATUS',
    act: alterError((answer) => ({ ...answer, status: 200 })),
  },
  'issuer-misstates-status': {
    says: 'status in the body of an error differs from the HTTP status.',
    breaks: 'LUMO-ERROR-BODY',
    act: alterError((answer) => withMembers(answer, { status: 418 })),
  },
  'issuer-crashes-on-bad-input': {
    says: 'Invalid input gets 500.',
    breaks: 'LUMO-ERROR-STATUS',
    act: alterError((answer) =>
      answer.status === 400 && /^invalid_/.test(String(membersOf(answer).error))
        ? errorAnswer(500, 'server_error', 'something went wrong')
        : answer,
    ),
  },
  'issuer-crashes-on-deep-json': {
    says: 'JSON that is nested too deeply gets 500.',
    breaks: 'JSON-DEPTH',
    act: alterError((answer, { routed: { request } }) =>
      findExcess(request.body) === undefined
        ? answer
        : errorAnswer(500, 'server_error', 'Maximum call stack size exceeded'),
    ),
  },
  'issuer-omits-description': {
    says: 'Errors have no error_description and no message.',
    breaks: 'LUMO-ERROR-BODY',
    act: alterError((answer) =>
      withMembers(answer, { error_description: undefined, message: undefined }),
    ),
  },
  'issuer-error-is-true': {
    says: 'error is true instead of a code.',
    breaks: 'LUMO-ERROR-BODY',
    act: alterError((answer) => withMembers(answer, { error: true })),
  },
  'issuer-html-error': {
    says: 'Errors are HTML pages.',
    breaks: 'LUMO-ERROR-BODY',
    act: alterError(asHtml),
  },
  'issuer-stack-trace': {
    says: 'Errors have a stack trace.',
    breaks: 'THR-26',
    act: alterError((answer) =>
      withMembers(answer, {
        stack:
          'Error: refused\n    at Issuer.handle (/srv/lumo/src/issuer.ts:42:11)\n    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
      }),
    ),
  },
  'issuer-leaks-secrets': {
    says: 'Errors contain the secret or the token of the request.',
    breaks: 'THR-27',
    act: alterError((answer, { routed: { request } }) => {
      const description = `${membersOf(answer).error_description} (received ${secretIn(request)})`
      return withMembers(answer, { error_description: description, message: description })
    }),
  },
  'issuer-allows-storing-errors': {
    says: 'Errors lack Cache-Control.',
    breaks: 'THR-27',
    act: alterError((answer) => withFields(answer, { 'cache-control': undefined })),
  },
})

const secretIn = ({ headers, body }: HttpRequest) =>
  new URLSearchParams(body).get('client_secret') ?? headers.authorization ?? 'nothing'
