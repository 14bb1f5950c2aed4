import { Documents, type summaryOf } from '../../api/documents.ts'
import type { ResourceServer } from '../../api/resource-server.ts'
import { errorAnswer } from '../../http/errors.ts'
import { misbehavioursOf } from '../../http/misbehave.ts'
import { type ApiRoute, PutDocument } from '../../wire/index.ts'
import { parseJson } from '../../wire/json.ts'
import { alterError, alterSuccess, membersOf, withMembers } from '../alter-answer.ts'
import { withGuard, withKnownToken } from './mislead-guard.ts'

const documentRoutes: ApiRoute[] = ['documents.read', 'documents.summarise']

/** Misbehaviours of the API's documents. */
export const documentMisbehaviours = misbehavioursOf('api', {
  'api-forgets-writes': {
    says: 'A write is confirmed, but later reads do not return it.',
    breaks: 'API-WRITES',
    routes: ['documents.write'],
    act: withKnownToken((tenant) => ({ ...tenant, documents: copyOf(tenant) })),
  },
  'api-forgets-deletes': {
    says: 'A deletion is confirmed, but the document stays.',
    breaks: 'API-WRITES',
    routes: ['documents.delete'],
    act: withKnownToken((tenant) => ({ ...tenant, documents: copyOf(tenant) })),
  },
  'api-writes-before-asking': {
    says: 'A write that gets 403 has taken effect.',
    breaks: 'THR-29',
    routes: ['documents.write'],
    act: async ({ answer, routed: { request, params }, context }) => {
      const order = PutDocument.safeParse(parseJson(request.body))
      if (order.success)
        context.api.documents.put(params.documentId ?? '', order.data, 'a-stranger')
      return answer()
    },
  },
  'api-lists-everything': {
    says: 'The list has documents that the token cannot read.',
    breaks: 'API-LIST',
    routes: ['documents.list'],
    act: withGuard((honest) => ({ ...honest, allows: () => true })),
  },
  'api-lists-bodies': {
    says: 'The list has the bodies of the documents.',
    breaks: 'API-LIST',
    routes: ['documents.list'],
    act: alterSuccess((answer, { context: { api } }) => {
      const { documents } = membersOf(answer) as { documents: ReturnType<typeof summaryOf>[] }
      return withMembers(answer, { documents: documents.map(({ id }) => api.documents.find(id)) })
    }),
  },
  'api-reveals-existence': {
    says: 'Without the detail an unknown document gets 404 instead of 403.',
    breaks: 'THR-26',
    routes: documentRoutes,
    act: alterError((answer, { routed: { params }, context: { api } }) =>
      answer.status === 403 && api.documents.find(params.documentId ?? '') === undefined
        ? errorAnswer(404, 'not_found', 'unknown document')
        : answer,
    ),
  },
  'api-reveals-existence-to-strangers': {
    says: 'Without a valid token an unknown document gets 404 instead of 401.',
    breaks: 'THR-26',
    routes: documentRoutes,
    act: alterError((answer, { routed: { params }, context: { api } }) =>
      answer.status === 401 && api.documents.find(params.documentId ?? '') === undefined
        ? errorAnswer(404, 'not_found', 'unknown document')
        : answer,
    ),
  },
})

const copyOf = ({ documents, now }: ResourceServer): Documents =>
  new Documents(
    Array.from(documents.all(), ({ id, title, classification, body }) => ({
      id,
      title,
      classification,
      body,
    })),
    now,
  )
