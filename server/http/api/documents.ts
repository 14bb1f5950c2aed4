import { documentCalls, summaryOf } from '../../api/documents.ts'
import type { Credentials } from '../../api/guard.ts'
import { refuse } from '../../api/refusal.ts'
import { summarise, wordsOf } from '../../api/summary.ts'
import type { ApiRoute } from '../../wire/index.ts'
import type { HttpRequest } from '../message.ts'
import { created, type Handlers, noContent, ok } from '../message.ts'
import type { ApiContext } from './handlers.ts'
import { withApiRefusals } from './refusals.ts'

type DocumentRoute = Extract<ApiRoute, `documents.${string}`>

/**
 * The core has parsed the body before a handler runs, so a malformed one is answered 400 to anybody:
 * that tells no more than the OpenAPI document does. Everything else comes after the guard.
 */
export const documentHandlers: Handlers<DocumentRoute, ApiContext> = {
  'documents.list': withApiRefusals(async ({ tenant, request }) => {
    const claims = await tenant.guard.admit(credentialsOf(request), documentCalls.list)
    const documents = [...tenant.documents.all()]
      .filter((it) => tenant.guard.allows(claims, documentCalls.read(it, it.id)))
      .map(summaryOf)
    return ok({ documents, count: documents.length })
  }),

  'documents.read': withApiRefusals(async ({ tenant, request, params: { documentId = '' } }) => {
    const document = tenant.documents.find(documentId)
    await tenant.guard.admit(credentialsOf(request), documentCalls.read(document, documentId))
    return ok(document ?? refuse({ error: 'not_found', what: 'document' }))
  }),

  'documents.write': withApiRefusals(
    async ({ tenant, request, params: { documentId = '' }, body }) => {
      const { sub } = await tenant.guard.admit(
        credentialsOf(request),
        documentCalls.write(documentId),
      )
      const { document, isNew } = tenant.documents.put(documentId, body, sub)
      return isNew ? created(document) : ok(document)
    },
  ),

  'documents.delete': withApiRefusals(async ({ tenant, request, params: { documentId = '' } }) => {
    await tenant.guard.admit(credentialsOf(request), documentCalls.delete(documentId))
    tenant.documents.delete(documentId)
    return noContent
  }),

  'documents.summarise': withApiRefusals(async ({ tenant, request, params, body }) => {
    const { documentId = '' } = params
    const document = tenant.documents.find(documentId)
    await tenant.guard.admit(credentialsOf(request), documentCalls.summarise(document, documentId))
    const text = document?.body ?? refuse({ error: 'not_found', what: 'document' })
    return created({
      id: tenant.id('summary'),
      document_id: documentId,
      ...(body.text === undefined
        ? summarise(text, body.max_words ?? 50)
        : { summary: body.text, words: wordsOf(body.text).length }),
      created_at: new Date(tenant.now() * 1000).toISOString(),
    })
  }),
}

/** How a request to the resource server says who it is, and whether it says so twice (RFC 6750 §2). */
export const credentialsOf = ({ headers, query, body }: HttpRequest): Credentials => ({
  authorization: headers.authorization,
  alsoElsewhere:
    query.has('access_token') ||
    ((headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded') &&
      new URLSearchParams(body).has('access_token')),
})
