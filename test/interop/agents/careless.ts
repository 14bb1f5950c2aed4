/**
 * An agent that does its work and breaks many rules: it gives no justification, polls without a
 * pause, requests again after a denial, sends its token to any origin, and never completes its
 * task.
 */
const { LUMOAUTH_URL, LUMOAUTH_TENANT, AGENT_CLIENT_ID, AGENT_CLIENT_SECRET, DOCUMENTS_API_URL } =
  process.env
const base = `${LUMOAUTH_URL}/t/${LUMOAUTH_TENANT}/api/v1`
const call = async (method: string, url: string, token = '', body?: object) => {
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  const elsewhere = response.headers.get('location')
  if (response.status === 307 && elsewhere !== null) {
    return fetch(elsewhere, { method, headers: { authorization: `Bearer ${token}` } })
  }
  return response
}
const json = async (response: Response) => JSON.parse((await response.text()) || '{}')

const grant = new URLSearchParams({
  grant_type: 'client_credentials',
  client_id: AGENT_CLIENT_ID ?? '',
  client_secret: AGENT_CLIENT_SECRET ?? '',
})
const signedIn = await fetch(`${base}/oauth/token`, { method: 'POST', body: grant })
const { access_token: own } = await json(signedIn)
const { task_id } = await json(await call('POST', `${base}/jit/task`, own, {}))

const url = `${DOCUMENTS_API_URL}/v1/documents/doc_9982`
let answer = await call('GET', url, own)
for (let round = 0; round < 3 && answer.status === 403; round++) {
  const header = answer.headers.get('insufficient-authorization-details') ?? ''
  const authorization_details = JSON.parse(atob(header))
  let asked = await json(
    await call('POST', `${base}/jit/request`, own, { task_id, authorization_details }),
  )
  const { request_id, status_url = '', token_url } = asked
  const at = (path: string) => (path.startsWith('http') ? path : LUMOAUTH_URL + path)
  for (let poll = 0; poll < 40 && asked.status === 'pending'; poll++) {
    asked = { token_url, ...(await json(await call('GET', at(status_url), own))) }
  }
  const path =
    asked.token_url ?? `${base}/jit/request/${request_id}/token`.replace(`${LUMOAUTH_URL}`, '')
  const { access_token } = await json(await call('POST', at(path), own))
  answer = await call('GET', url, access_token ?? own)
  if (answer.status === 401) answer = await call('GET', url, access_token ?? own)
}
console.log(answer.status, await answer.text())
