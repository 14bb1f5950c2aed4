/** What the server said no with. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body.error_description ?? 'the server did not say why')
    this.status = status
    this.code = body.error
    this.body = body
  }
}

/** Asks the server of one tenant's page. What changes something carries the session's token. */
export const createServer = (tenant) => {
  const base = `${location.pathname.replace(/\/console\/.*$/, '')}/console/${encodeURIComponent(tenant)}`
  let csrfToken = ''

  const ask = async (method, path, body) => {
    const headers = {
      ...(method === 'GET' ? {} : { 'x-csrf-token': csrfToken }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const response = await fetch(base + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = response.status === 204 ? {} : await response.json().catch(() => ({}))
    if (!response.ok) throw new Refusal(response.status, answer)
    if (answer.csrf_token) csrfToken = answer.csrf_token
    return answer
  }

  return {
    base,
    get: (path) => ask('GET', path),
    post: (path, body = {}) => ask('POST', path, body),
    delete: (path) => ask('DELETE', path),
  }
}
