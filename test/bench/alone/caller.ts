import type { Harness, TenantCreated } from '../../../server/index.ts'

/** The first agent of a tenant, authenticated; its calls reach the harness without a socket. */
export const caller = async (harness: Harness, { urls, agents }: TenantCreated) => {
  const [agent] = agents
  const token = async (): Promise<string> => {
    const answer = await harness.fetch(`${urls.tenant}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: agent?.client_id ?? '',
        client_secret: agent?.client_secret ?? '',
      }),
    })
    if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`)
    return ((await answer.json()) as { access_token: string }).access_token
  }
  let bearer = await token()
  return {
    token,
    /** Call this after the clock has moved: the token may have expired. */
    signIn: async () => {
      bearer = await token()
    },
    post: async <T>(path: string, body: object = {}): Promise<T> => {
      const answer = await harness.fetch(`${urls.tenant}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
      return (await answer.json()) as T
    },
  }
}
