import type { RequestHandler } from 'express'
import { markup } from '../../wire/markup.ts'
import { encodeAnswer } from '../message.ts'
import { plainPage } from '../plain-page.ts'
import type { Origins } from '../tenant/tenant-context.ts'

/** The page at `/` of each socket, with links to the other pages. */
export const frontPage =
  (seat: 'issuer' | 'api', origins: Origins): RequestHandler =>
  ({ method, path }, response, next) => {
    if (path !== '/' || (method !== 'GET' && method !== 'HEAD')) return next()
    const answer = { issuer: issuerPage, api: apiPage }[seat](origins)
    const { headers, body } = encodeAnswer(answer)
    response.status(answer.status).set(headers).end(body)
  }

const issuerPage = ({ api }: Origins) =>
  plainPage({
    of: 'mock issuer',
    title: 'Mock issuer',
    body: markup`<h1>Mock issuer</h1>
<p>This origin issues just-in-time permissions to agents, and its control plane creates tenants.</p>
<ul>
<li><a href="/console">Approvals page</a>: the pending requests of every tenant</li>
<li><a href="/docs">API reference</a>, also as <a href="/openapi.json">openapi.json</a></li>
<li><a href="/healthz">Health</a></li>
<li><a href="${api}/">Mock API</a>: the documents that agents read</li>
<li>The command <code>run --ui</code> of this package: a tour in eight steps, and every scenario</li>
</ul>`,
  })

const apiPage = ({ issuer }: Origins) =>
  plainPage({
    of: 'mock API',
    title: 'Mock API',
    body: markup`<h1>Mock API</h1>
<p>This origin holds documents that need a permission. A call without one gets a challenge that names it.</p>
<ul>
<li><a href="/v1/documents">/v1/documents</a>: the documents; needs <code>Authorization: Bearer</code></li>
<li><a href="${issuer}/docs">API reference</a></li>
<li><a href="${issuer}/">Mock issuer</a>, and its <a href="${issuer}/console">approvals page</a></li>
</ul>`,
  })
