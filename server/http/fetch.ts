import type { Core } from './core.ts'
import type { Answer, HttpRequest } from './message.ts'
import { largestBody } from './parse.ts'

/** A seat as a function from a `Request` to its `Response`, without a socket. */
export const fetchHost =
  (core: Core) =>
  async (request: Request): Promise<Response> =>
    responseOf(await core(await requestOf(request)))

/** @returns the request as the core reads it; a body over the limit is cut just above it */
export const requestOf = async (request: Request): Promise<HttpRequest> => {
  const { pathname, searchParams } = new URL(request.url)
  return {
    method: request.method,
    path: pathname,
    query: searchParams,
    headers: Object.fromEntries(request.headers),
    body: request.body === null ? '' : (await request.text()).slice(0, largestBody + 1),
  }
}

const responseOf = (answer: Answer): Response => {
  if (answer.body instanceof ReadableStream) {
    return new Response(answer.body, { status: answer.status, headers: { ...answer.headers } })
  }
  const { body, headers } = encoded(answer)
  return new Response(body, { status: answer.status, headers })
}

/** What goes over the wire: JSON unless the handler has already written text. */
export const encoded = ({
  headers = {},
  body,
}: Answer): { headers: Record<string, string>; body: string | null } => {
  if (body === undefined) return { headers: { ...headers }, body: null }
  if (typeof body === 'string') return { headers: { ...headers }, body }
  return {
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  }
}
