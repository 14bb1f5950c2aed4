import { parseJson } from '../../../server/wire/json.ts'
import { isObject } from '../../language/match.ts'

export type Asked = Readonly<{
  status: number
  type: string
  body: unknown
  location: string | null
}>
export type Ask = (
  method: string,
  url: string,
  how: { headers?: Record<string, string>; form?: Record<string, string>; json?: unknown },
) => Promise<Asked>

/** Sends requests, and reads JSON answers. */
export const createAsk =
  (send: (request: Request) => Promise<Response>): Ask =>
  async (method, url, { headers = {}, form, json }) => {
    const response = await send(
      new Request(url, {
        method,
        headers: {
          ...headers,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      }),
    )
    const text = await response.text()
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? 'no content type',
      location: response.headers.get('location'),
      body: parseJson(text),
    }
  }

/** An answer as a short text. */
export const describeAnswer = ({ status, type, body, location }: Asked): string => {
  if (location !== null && status >= 300 && status < 400) {
    return `${status}, a redirect to ${URL.canParse(location) ? new URL(location).origin : location}, which is not followed`
  }
  if (!isObject(body)) return `${status} with ${type.split(';')[0]} instead of JSON`
  const { error, error_description } = body
  return [status, error, error_description && `(${error_description})`]
    .filter((it) => typeof it === 'string' || typeof it === 'number')
    .join(' ')
}

export const pathOf = (url: string): string => new URL(url).pathname
