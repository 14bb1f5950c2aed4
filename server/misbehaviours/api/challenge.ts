import type { Answer } from '../../http/message.ts'
import { type Act, misbehavioursOf, type Seam } from '../../http/misbehave.ts'
import { type AuthorizationDetail, challengeHeader, encodeRemediation } from '../../wire/index.ts'
import { alterAnswer, alterSuccess, membersOf, withFields, withMembers } from '../alter-answer.ts'

/** What the resource server does wrong when it says what is missing. */
export const challengeMisbehaviours = misbehavioursOf('api', {
  'api-challenge-missing': {
    says: 'The header that names what is missing is missing itself.',
    breaks: 'LUMO-CHALLENGE-1',
    act: alterChallenge((answer) => withFields(answer, { [challengeHeader]: undefined })),
  },
  'api-challenge-401': {
    says: 'A challenge comes with 401, so that clients get a new token of the same width.',
    breaks: 'LUMO-CHALLENGE-1',
    act: alterChallenge((answer) => ({ ...withMembers(answer, { status: 401 }), status: 401 })),
  },
  'api-challenge-without-authenticate': {
    says: 'A challenge comes without WWW-Authenticate.',
    breaks: 'LUMO-CHALLENGE-1',
    act: alterChallenge((answer) => withFields(answer, { 'www-authenticate': undefined })),
  },
  'api-challenge-malformed': {
    says: 'The challenge is not base64.',
    breaks: 'LUMO-CHALLENGE-2',
    act: alterChallenge((answer) => withChallenge(answer, '{type: file_access}')),
  },
  'api-challenge-not-json': {
    says: 'The challenge is base64 of something that is not JSON.',
    breaks: 'LUMO-CHALLENGE-2',
    act: alterChallenge((answer) => withChallenge(answer, base64('file_access:read'))),
  },
  'api-challenge-base64url': {
    says: 'The challenge is base64url, with a member that needs its two other letters.',
    breaks: 'LUMO-CHALLENGE-2',
    act: rewriteChallenge((detail) =>
      Buffer.from(JSON.stringify({ ...detail, note: '~~~???' })).toString('base64url'),
    ),
  },
  'api-challenge-unpadded': {
    says: 'The challenge lacks the padding of its base64.',
    breaks: 'LUMO-CHALLENGE-2',
    act: rewriteChallenge((detail) => {
      const json = JSON.stringify(detail)
      return base64(json.length % 3 === 0 ? `${json} ` : json).replace(/=+$/, '')
    }),
  },
  'api-challenge-array': {
    says: 'The challenge is an array of one object.',
    breaks: 'LUMO-CHALLENGE-2',
    act: rewriteChallenge((detail) => encodeJson([detail])),
  },
  'api-challenge-twice': {
    says: 'The challenge stands in two header fields, joined by a comma.',
    breaks: 'HDR-01',
    act: rewriteChallenge(
      (detail) => `${encodeJson(detail)}, ${encodeJson({ ...detail, actions: ['delete'] })}`,
    ),
  },
  'api-challenge-oversized': {
    says: 'The challenge is longer than 4 KiB.',
    breaks: 'HDR-02',
    act: rewriteChallenge((detail) => encodeJson({ ...detail, note: 'x'.repeat(4096) })),
  },
  'api-challenge-not-utf8': {
    says: 'The challenge is JSON in which a letter is no UTF-8.',
    breaks: 'HDR-04',
    act: rewriteChallenge((detail) =>
      Buffer.from(JSON.stringify({ ...detail, note: '\xff' }), 'latin1').toString('base64'),
    ),
  },
  'api-challenge-deep': {
    says: 'The challenge is nested a hundred levels deep.',
    breaks: 'HDR-04',
    act: rewriteChallenge((detail) => {
      const note = `${'['.repeat(100)}${']'.repeat(100)}`
      return base64(`${JSON.stringify(detail).slice(0, -1)},"note":${note}}`)
    }),
  },
  'api-challenge-quoted': {
    says: 'The challenge is missing, and text that looks like one stands within the quoted realm.',
    breaks: 'HDR-09',
    act: alterChallenge((answer) => {
      const detail = missingIn(answer)
      if (detail === undefined) return answer
      const parameter = `authorization_remediation=${encodeRemediation({ authorization_details: [detail] })}`
      return withFields(answer, {
        [challengeHeader]: undefined,
        'www-authenticate': `Bearer realm="documents, ${parameter}, end"`,
      })
    }),
  },
  'api-challenge-polluting': {
    says: 'The challenge holds a key __proto__.',
    breaks: 'THR-30',
    act: rewriteChallenge((detail) =>
      base64(`{"__proto__":{"admin":true},${JSON.stringify(detail).slice(1)}`),
    ),
  },

  'api-challenge-wider': {
    says: 'The challenge asks for more actions than the call takes.',
    breaks: 'THR-14',
    act: nameOtherResource((detail) => ({ ...detail, actions: ['read', 'write', 'delete'] })),
  },
  'api-challenge-other-document': {
    says: 'The challenge names another document than the one that was asked for.',
    breaks: 'LUMO-CHALLENGE-3',
    act: nameOtherResource((detail) => ({ ...detail, identifier: 'doc_of_somebody_else' })),
  },
  'api-challenge-without-identifier': {
    says: 'The challenge names no document, so what is granted is not enough, or too much.',
    breaks: 'LUMO-CHALLENGE-3',
    act: nameOtherResource(({ identifier: _, ...detail }) => detail),
  },
  'api-challenge-other-type': {
    says: 'The challenge for a document asks for a payment.',
    breaks: 'THR-14',
    act: nameOtherResource(({ identifier }) => ({
      type: 'payment',
      actions: ['initiate'],
      ...(identifier === undefined ? {} : { identifier }),
    })),
  },
  'api-challenge-other-action': {
    says: 'The challenge names another action, so that what is granted is never enough.',
    breaks: 'RES-03',
    act: nameOtherResource((detail) => ({ ...detail, actions: ['list'] })),
  },
  'api-challenge-disagrees': {
    says: 'The body of a challenge names something else than its header.',
    breaks: 'HDR-08',
    act: alterChallenge((answer) =>
      withMembers(answer, {
        authorization_details_hint: { type: 'file_access', actions: ['delete'], identifier: '*' },
      }),
    ),
  },
  'api-challenge-leaks-body': {
    says: 'The challenge holds the text of the document.',
    breaks: 'RES-10',
    act: alterChallenge((answer, { routed: { params }, context: { api } }) => {
      const excerpt = api.documents.find(params.documentId ?? '')?.body ?? ''
      return withMembers(answer, { excerpt })
    }),
  },
  'api-challenge-on-success': {
    says: 'An answer that succeeds carries a challenge, too.',
    breaks: 'HDR-05',
    act: alterSuccess((answer) => withChallenge(answer, encodeJson(anything))),
  },
  'api-challenge-on-404': {
    says: 'What is not there is answered 404 with a challenge.',
    breaks: 'HDR-05',
    act: alterAnswer((answer) =>
      answer.status === 404 ? withChallenge(answer, encodeJson(anything)) : answer,
    ),
  },
})

const anything: AuthorizationDetail = {
  type: 'file_access',
  actions: ['read', 'write'],
  identifier: '*',
}

/** Changes challenges, and leaves every other answer alone. */
function alterChallenge(change: (answer: Answer, seam: Seam) => Answer): Act {
  return alterAnswer((answer, seam) =>
    answer.headers?.[challengeHeader] === undefined ? answer : change(answer, seam),
  )
}

/** Writes what is missing in another way. */
function rewriteChallenge(write: (detail: AuthorizationDetail) => string): Act {
  return alterChallenge((answer) => {
    const detail = missingIn(answer)
    return detail === undefined ? answer : withChallenge(answer, write(detail))
  })
}

/** Names something else as missing, in header and body alike. */
function nameOtherResource(change: (detail: AuthorizationDetail) => AuthorizationDetail): Act {
  return alterChallenge((answer) => {
    const missing = missingIn(answer)
    if (missing === undefined) return answer
    const detail = change(missing)
    const named = withMembers(answer, { authorization_details_hint: detail })
    return withChallenge(named, encodeJson(detail))
  })
}

const withChallenge = (answer: Answer, value: string): Answer =>
  withFields(answer, { [challengeHeader]: value })

/** Nothing where another misbehaviour has been before. */
const missingIn = (answer: Answer) =>
  membersOf(answer).authorization_details_hint as AuthorizationDetail | undefined

const base64 = (text: string) => Buffer.from(text).toString('base64')
const encodeJson = (value: unknown) => base64(JSON.stringify(value))
