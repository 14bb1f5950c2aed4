import '../../wire/require-node.ts'
import { type HttpHandler, http } from 'msw'
import { pathOf } from '../../wire/base-url.ts'
import { errorAnswer } from '../errors.ts'
import { HarnessClosed, toResponse } from './fetch.ts'

/** What handlers need of a harness: where its seats are, and how to ask them without a socket. */
type Seats = Readonly<{
  issuer: string
  api: string
  handle: (request: Request) => Promise<Response>
}>

/**
 * MSW handlers for issuer and API of a harness, under whatever origins it was given; every other
 * origin is left alone. The control plane is not among them: a test has the harness itself.
 *
 * ```ts
 * const harness = await createHarness({
 *   origins: { issuer: 'https://app.lumoauth.dev', api: 'https://api.acme-corp.com' },
 * })
 * const server = setupServer(...createHandlers(harness))
 * ```
 */
export const createHandlers = ({ issuer, api, handle }: Seats): HttpHandler[] =>
  [...new Set([issuer, api].flatMap(withWellKnown))].map((base) =>
    http.all(`${base}/*`, async ({ request }) => {
      if (isControl.test(new URL(request.url).pathname)) {
        return refusal(404, 'not_found', 'the control plane is not served here')
      }
      try {
        return await handle(request)
      } catch (thrown) {
        if (!(thrown instanceof HarnessClosed)) throw thrown
        return refusal(503, thrown.code, thrown.message)
      }
    }),
  )

/** Of a base with a path, the URLs with the well-known part between host and path as well (RFC 8414 §3.1). */
const withWellKnown = (base: string): string[] =>
  pathOf(base) === '' ? [base] : [base, `${new URL(base).origin}/.well-known`]

/** Also behind the path of a base. */
const isControl = /\/_harness(?:\/|$)/

const refusal = (...how: Parameters<typeof errorAnswer>) => toResponse(errorAnswer(...how))
