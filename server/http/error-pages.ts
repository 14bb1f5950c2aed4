import { ErrorBody } from '../wire/index.ts'
import { markup } from '../wire/markup.ts'
import type { Routed, Step } from './core.ts'
import { plainPage } from './plain-page.ts'

/** Shows errors of the issuer's page routes as pages, because a person's browser receives them. */
export const showErrorsAsPages: Step<Routed> = async (routed, next) => {
  const answer = await next(routed)
  const { seat, pages } = routed.route
  const problem = ErrorBody.safeParse(answer.body)
  if (!pages || seat !== 'issuer' || answer.status < 400 || !problem.success) return answer
  const { error, error_description } = problem.data
  const { 'content-type': _, ...headers } = answer.headers ?? {}
  return plainPage({
    of: 'mock issuer',
    status: answer.status,
    title: 'The request failed',
    body: markup`<h1>The request failed</h1><p>${error}: ${error_description}</p>`,
    headers,
  })
}
