import { cloneMessage } from '../../../server/wire/clone-message.ts'
import type { AgentAccess } from './access.ts'

/** The request, at the endpoint that metadata names for its path. */
export const relocateRequest = (
  request: Request,
  base: string,
  moved: ReadonlyMap<string, string>,
): Request => {
  if (!request.url.startsWith(base)) return request
  const to = moved.get(request.url.slice(base.length))
  return to === undefined ? request : new Request(to, request)
}

/** Adds the scope and resource of the target file to sign-ins without them. */
export const addClientCredentials = async (
  request: Request,
  agents: readonly AgentAccess[],
): Promise<Request> => {
  const type = request.headers.get('content-type') ?? ''
  if (request.method !== 'POST' || !type.startsWith('application/x-www-form')) return request
  if (agents.every((it) => it.scope === undefined && it.resource === undefined)) return request
  const text = await cloneMessage(request).text()
  const form = new URLSearchParams(text)
  const agent = agents.find((it) => it.client_id === form.get('client_id')) ?? agents[0]
  if (form.get('grant_type') !== 'client_credentials' || agent === undefined) return request
  for (const name of ['scope', 'resource'] as const) {
    const value = agent[name]
    if (value !== undefined && !form.has(name)) form.set(name, value)
  }
  return new Request(request, { body: form.toString() })
}
