import { type HttpHandler, http } from 'msw'

/** What handlers need of a harness: where its seats are, and how to ask them without a socket. */
type Seats = Readonly<{
  issuer: string
  api: string
  handle: (request: Request) => Promise<Response>
}>

/**
 * MSW handlers for the origins of a harness; every other origin is left alone.
 *
 * @example
 * const harness = await createHarness({ listen: false })
 * const server = setupServer(...createHandlers(harness))
 */
export const createHandlers = ({ issuer, api, handle }: Seats): HttpHandler[] =>
  [issuer, api].map((origin) => http.all(`${origin}/*`, ({ request }) => handle(request)))
