import type { ResourceServer } from '../../api/resource-server.ts'
import type { ApiRoute } from '../../wire/index.ts'
import type { Area, Routed } from '../core.ts'
import type { Handlers } from '../message.ts'
import { answerWith, refuseUnknownTenant } from '../refusals.ts'
import { documentHandlers } from './documents.ts'
import { reportHandlers } from './reports.ts'
import { type ApiResource, apiResource, resourceMetadataHandlers } from './resource-metadata.ts'

export type ApiContext = Readonly<{ tenant: ResourceServer; resource: ApiResource }>

export const apiHandlers: Handlers<ApiRoute, ApiContext> = {
  ...documentHandlers,
  ...reportHandlers,
  ...resourceMetadataHandlers,
}

/** The documents API. It authenticates in its handlers, for what it asks depends on the document. */
export const apiArea: Area<ApiRoute, ApiContext> = {
  handlers: apiHandlers,
  authenticate: ({ context, params }: Routed<ApiRoute>): ApiContext => {
    const { tenant: slug } = params
    if (context) {
      return { tenant: context.api, resource: apiResource(context, slug !== undefined) }
    }
    if (slug === undefined) {
      return answerWith(
        503,
        'temporarily_unavailable',
        'the harness has no tenant yet',
        {},
        { 'retry-after': '1' },
      )
    }
    return refuseUnknownTenant(slug)
  },
}
