import type { Answer } from '../../http/message.ts'
import { type Act, misbehavioursOf, type Seam } from '../../http/misbehave.ts'
import { type AuthorizationDetail, challengeHeader, encodeRemediation } from '../../wire/index.ts'
import { alterAnswer, alterSuccess, membersOf, withFields, withMembers } from '../alter-answer.ts'

/** Misbehaviours of the API's challenges. */
export const challengeMisbehaviours = misbehavioursOf('api', {
  'api-challenge-missing': {
    says: 'A 403 has no challenge header.',
    breaks: 'LUMO-CHALLENGE-1',
    act: alterChallenge((answer) => withFields(answer, { [challengeHeader]: undefined })),
  },
  'api-challenge-401': {
    says: 'A challenge has status 401, so clients renew their token instead of escalating.',
    breaks: 'LUMO-CHALLENGE-1',
    act: alterChallenge((answer) => ({ ...withMembers(answer, { status: 401 }), status: 401 })),
  },
  'api-challenge-without-authenticate': {
    says: 'A challenge comes without WWW-Authenticate.',
    breaks: 'LUMO-CHALLENGE-1',
    act: alterChallenge((answer) => withFields(answer, { 'www-authenticate': undefined })),
  },
  'api-hides-resource-metadata': {
    says: 'A 401 has no resource_metadata, so clients that start at the API cannot find its issuer.',
    breaks: 'PRM-04',
    act: alterAnswer((answer) => {
      const field = answer.headers?.['www-authenticate']
      return answer.status !== 401 || field === undefined
        ? answer
        : withFields(answer, {
            'www-authenticate': field.replace(/(?:, )?resource_metadata="[^"]*"/, ''),
          })
    }),
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
    says: 'The challenge is base64url, with a member that needs its two other characters.',
    breaks: 'LUMO-CHALLENGE-2',
    act: rewriteChallenge((detail) =>
      Buffer.from(JSON.stringify({ ...detail, note: '~~~???' })).toString('base64url'),
    ),
  },
  'api-challenge-unpadded': {
    says: 'The challenge is base64 without padding.',
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
    says: 'The challenge is in two header fields, joined by a comma.',
    breaks: 'HDR-01',
    act: rewriteChallenge(
      (detail) => `${encodeJson(detail)}, ${encodeJson({ ...detail, actions: ['delete'] })}`,
    ),
  },
  'api-challenge-oversized': {
    says: 'The challenge is over 4 KiB.',
    breaks: 'HDR-02',
    act: rewriteChallenge((detail) => encodeJson({ ...detail, note: 'x'.repeat(4096) })),
  },
  'api-challenge-not-utf8': {
    says: 'The challenge is JSON with invalid UTF-8.',
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
    says: 'The challenge is missing, and the quoted realm contains text that looks like one.',
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
    says: 'The challenge has a __proto__ key.',
    breaks: 'THR-30',
    act: rewriteChallenge((detail) =>
      base64(`{"__proto__":{"admin":true},${JSON.stringify(detail).slice(1)}`),
    ),
  },

  'api-challenge-wider': {
    says: 'The challenge has more actions than the call requires.',
    breaks: 'THR-14',
    act: nameOtherResource((detail) => ({ ...detail, actions: ['read', 'write', 'delete'] })),
  },
  'api-challenge-other-document': {
    says: 'The challenge has another identifier.',
    breaks: 'LUMO-CHALLENGE-3',
    act: nameOtherResource((detail) => ({ ...detail, identifier: 'doc_of_another_agent' })),
  },
  'api-challenge-without-identifier': {
    says: 'The challenge has no identifier.',
    breaks: 'LUMO-CHALLENGE-3',
    act: nameOtherResource(({ identifier: _, ...detail }) => detail),
  },
  'api-challenge-other-type': {
    says: 'The challenge has type payment.',
    breaks: 'THR-14',
    act: nameOtherResource(({ identifier }) => ({
      type: 'payment',
      actions: ['initiate'],
      ...(identifier === undefined ? {} : { identifier }),
    })),
  },
  'api-challenge-other-action': {
    says: 'The challenge has another action, so the granted token is never sufficient.',
    breaks: 'RES-03',
    act: nameOtherResource((detail) => ({ ...detail, actions: ['list'] })),
  },
  'api-challenge-disagrees': {
    says: 'The body of a challenge has another detail than its header.',
    breaks: 'HDR-08',
    act: alterChallenge((answer) =>
      withMembers(answer, {
        authorization_details_hint: { type: 'file_access', actions: ['delete'], identifier: '*' },
      }),
    ),
  },
  'api-challenge-leaks-body': {
    says: 'The challenge contains the text of the document.',
    breaks: 'RES-10',
    act: alterChallenge((answer, { routed: { params }, context: { api } }) => {
      const excerpt = api.documents.find(params.documentId ?? '')?.body ?? ''
      return withMembers(answer, { excerpt })
    }),
  },
  'api-challenge-on-success': {
    says: 'A successful answer has a challenge.',
    breaks: 'HDR-05',
    act: alterSuccess((answer) => withChallenge(answer, encodeJson(anything))),
  },
  'api-challenge-on-404': {
    says: 'A 404 has a challenge.',
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

/** Changes challenges only. */
function alterChallenge(change: (answer: Answer, seam: Seam) => Answer): Act {
  return alterAnswer((answer, seam) =>
    answer.headers?.[challengeHeader] === undefined ? answer : change(answer, seam),
  )
}

/** Encodes the challenged detail in another way. */
function rewriteChallenge(write: (detail: AuthorizationDetail) => string): Act {
  return alterChallenge((answer) => {
    const detail = missingIn(answer)
    return detail === undefined ? answer : withChallenge(answer, write(detail))
  })
}

/** Changes the challenged detail in header and body. */
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

/** The challenged detail; undefined where another misbehaviour removed it. */
const missingIn = (answer: Answer) =>
  membersOf(answer).authorization_details_hint as AuthorizationDetail | undefined

const base64 = (text: string) => Buffer.from(text).toString('base64')
const encodeJson = (value: unknown) => base64(JSON.stringify(value))
