import { z } from 'zod'
import type { Route } from './route.ts'

/** The OpenAPI document and its page. */
const OpenApiDocument = z
  .looseObject({
    openapi: z.string().startsWith('3.1.'),
    info: z.looseObject({ title: z.string(), version: z.string() }),
    paths: z.record(z.string(), z.looseObject({})),
  })
  .meta({ id: 'OpenApiDocument' })

export const openApiRoutes = {
  'openapi.document': {
    seat: 'control',
    method: 'GET',
    path: '/openapi.json',
    auth: 'none',
    summary: 'Read this OpenAPI document',
    source: 'CONTRACT.md#documentation-pages',
    answers: { 200: OpenApiDocument },
  },
  'openapi.page': {
    seat: 'control',
    method: 'GET',
    path: '/docs',
    auth: 'none',
    summary: 'Read this OpenAPI document as a page',
    source: 'CONTRACT.md#documentation-pages',
    media: 'text/html',
    answers: { 200: null },
  },
} as const satisfies Record<string, Route>
