import { assetsPath } from '../../console/assets.ts'
import { loadContract } from '../../contract-file.ts'
import type { OpenApiRoute } from '../../wire/index.ts'
import type { Area } from '../core.ts'
import type { Answer, Handlers } from '../message.ts'
import type { Origins } from '../tenant/tenant-context.ts'
import { cookieName } from './console.ts'

export type DocsContext = Readonly<{ texts: () => Promise<Texts> }>

/** The OpenAPI document and its page. */
type Texts = Readonly<{ document: string; page: string }>

/**
 * Both texts are generated at the first request, and cached. A harness without such a request loads
 * neither.
 */
const docsContext = (origins: Origins, version: string) => {
  let made: Promise<Texts> | undefined
  return (): DocsContext => ({
    texts: () => {
      made ??= write(origins, version)
      return made
    },
  })
}

const docsHandlers: Handlers<OpenApiRoute, DocsContext> = {
  'openapi.document': async ({ texts }) =>
    publicDocument('application/json; charset=utf-8', (await texts()).document),
  'openapi.page': async ({ texts }) => {
    const answer = publicDocument('text/html; charset=utf-8', (await texts()).page)
    return { ...answer, headers: { ...answer.headers, ...pageHeaders } }
  },
}

/** Routes of the OpenAPI document and its page. */
export const docsArea = (origins: Origins, version: string): Area<OpenApiRoute, DocsContext> => ({
  handlers: docsHandlers,
  tenantByPath: true,
  authenticate: docsContext(origins, version),
})

const write = async ({ issuer, api }: Origins, version: string): Promise<Texts> => {
  const [{ openApiDocument }, { renderDocsPage }, contract] = await Promise.all([
    import('../../wire/openapi/document.ts'),
    import('./docs-page.ts'),
    loadContract(),
  ])
  const document = openApiDocument({ issuer, api, version, sessionCookie: cookieName(issuer) })
  return {
    document: JSON.stringify(document, null, 2),
    page: renderDocsPage(document, contract, assetsPath()),
  }
}

/** The document contains no secrets, so every origin may read it. */
const publicDocument = (type: string, body: string): Answer => ({
  status: 200,
  headers: {
    'content-type': type,
    'cache-control': 'no-cache',
    'access-control-allow-origin': '*',
    'x-content-type-options': 'nosniff',
  },
  body,
})

/** The page has text, a style sheet, and a script for the search. */
const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
}
