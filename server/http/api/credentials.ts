import type { Credentials } from '../../api/guard.ts'
import type { HttpRequest } from '../message.ts'

/** How a request to the resource server says who it is, and whether it says so twice (RFC 6750 §2). */
export const credentialsOf = ({ headers, query, body }: HttpRequest): Credentials => ({
  authorization: headers.authorization,
  alsoElsewhere:
    query.has('access_token') ||
    ((headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded') &&
      new URLSearchParams(body).has('access_token')),
})
