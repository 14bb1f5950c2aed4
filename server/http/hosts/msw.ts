import '../../wire/require-node.ts'
import { type HttpHandler, http } from 'msw'
import { pathOf } from '../../wire/base-url.ts'
import { errorAnswer } from '../errors.ts'
import { HarnessClosed, toResponse } from './fetch.ts'

/** The parts of a harness that the handlers use: its origins, and its seats as functions. */
type Seats = Readonly<{
  issuer: string
  api: string
  handle: (request: Request) => Promise<Response>
}>

/**
 * MSW handlers for issuer and API of a harness, at its configured origins. Requests to other origins
 * pass through. The control plane is not included: tests call the harness directly.
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
        return refusal(404, 'not_found', 'MSW handlers do not include the control plane')
      }
      try {
        return acceptPreflight(request, await handle(request))
      } catch (thrown) {
        if (!(thrown instanceof HarnessClosed)) throw thrown
        return refusal(503, thrown.code, thrown.message)
      }
    }),
  )

/**
 * MSW receives the preflight of happy-dom without `Origin` and `Access-Control-Request-Method`. A 405 that
 * lists the methods for other origins answers it, with the status of a preflight.
 */
const acceptPreflight = ({ method }: Request, response: Response): Response =>
  method === 'OPTIONS' && response.headers.has('access-control-allow-methods')
    ? new Response(null, { status: 204, headers: response.headers })
    : response

/**
 * For a base URL with a path, also the URLs with the well-known segment between host and path (RFC 8414
 * §3.1).
 */
const withWellKnown = (base: string): string[] =>
  pathOf(base) === '' ? [base] : [base, `${new URL(base).origin}/.well-known`]

/** Also below the path of a base URL. */
const isControl = /\/_harness(?:\/|$)/

const refusal = (...how: Parameters<typeof errorAnswer>) => toResponse(errorAnswer(...how))
