import '../../wire/require-node.ts'
import { type HttpHandler, http } from 'msw'
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
  [issuer, api].map((origin) =>
    http.all(`${origin}/*`, async ({ request }) => {
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

const isControl = /^\/+_harness(?:\/|$)/

const refusal = (...how: Parameters<typeof errorAnswer>) => toResponse(errorAnswer(...how))
