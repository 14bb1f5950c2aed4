/** What the server said no with; `unreachable` where it said nothing. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body.error_description ?? 'The server gave no reason.')
    this.status = status
    this.code = body.error
    this.body = body
  }
}

/** How long, in milliseconds, an answer may take. */
const patience = 15_000

/** Asks the server of one tenant's page. */
export const createServer = (tenant) =>
  serverAt(`${location.pathname.split('/console/', 1)[0]}/console/${encodeURIComponent(tenant)}`)

/** Asks a server below a path. What changes something carries the session's token. */
export const serverAt = (base) => {
  let csrfToken = ''

  const ask = async (method, path, body) => {
    const headers = {
      ...(method === 'GET' ? {} : { 'x-csrf-token': csrfToken }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const response = await fetch(base + path, {
      method,
      headers,
      signal: AbortSignal.timeout(patience),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch(() => {
      throw new Refusal(0, {
        error: 'unreachable',
        error_description:
          method === 'GET'
            ? 'The server does not answer.'
            : 'The server did not answer, so it is unknown whether it did this. Look again once the connection is back.',
      })
    })
    const answer = response.status === 204 ? {} : await response.json().catch(() => ({}))
    if (!response.ok) throw new Refusal(response.status, answer)
    return answer
  }

  return {
    base,
    /** Acts in a session from now on. */
    adopt: (session) => {
      csrfToken = session.csrf_token
    },
    get: (path) => ask('GET', path),
    post: (path, body = {}) => ask('POST', path, body),
    put: (path, body) => ask('PUT', path, body),
    delete: (path) => ask('DELETE', path),
  }
}
