import { fileURLToPath } from 'node:url'
import { Running, root } from '../support/running.ts'

/** The ready line of the other process. */
export type Issuer = AsyncDisposable &
  Readonly<{
    issuer: string
    env: Readonly<Record<string, string>>
    /** Calls its control plane, which the check itself does not know. */
    control: (method: string, path: string, body?: unknown) => Promise<unknown>
    /** Tasks that were opened and not ended. */
    openTasks: () => Promise<readonly string[]>
    /** The target description for `check issuer`. */
    target: string
  }>

/** Starts our issuer in its own process. */
export const issuerElsewhere = async (dialect: object = {}): Promise<Issuer> => {
  const script = fileURLToPath(new URL('issuer-process.ts', import.meta.url))
  const process_ = new Running(process.execPath, [script, JSON.stringify(dialect)], { cwd: root })
  const [line = ''] = await process_.prints('stdout', /^\{.*\}$/m)
  const { issuer, control: token, env } = JSON.parse(line)
  const control: Issuer['control'] = async (method, path, body) => {
    const response = await fetch(`${issuer}/_harness/tenants/acme${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        connection: 'close',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
  return {
    issuer,
    env,
    control,
    openTasks: async () => {
      const { entries } = (await control('GET', '/journal')) as {
        entries: { type: string; task?: { id: string }; taskId?: string }[]
      }
      const over = new Set(
        entries
          .filter((it) => it.type === 'task.completed' || it.type === 'task.suspended')
          .map((it) => it.taskId),
      )
      return entries.flatMap((it) =>
        it.type === 'task.opened' && it.task && !over.has(it.task.id) ? [it.task.id] : [],
      )
    },
    target: targetOf(issuer),
    [Symbol.asyncDispose]: () => process_[Symbol.asyncDispose](),
  }
}

const targetOf = (issuer: string) => `
name: our own, elsewhere
issuer: { url: "${issuer}", tenant: acme }
agents:
  - { name: report-agent, client_id: report-agent, client_secret_env: FIRST, may_delegate: true }
  - { name: second-agent, client_id: second-agent, client_secret_env: SECOND, may_delegate: true }
  - { name: loner, client_id: loner, client_secret_env: LONER, may_delegate: false }
  - { name: reader, client_id: reader, client_secret_env: READER, capabilities: ["read:documents"] }
api_client: { client_id: documents-api, client_secret_env: API }
users:
  - { email: ada@corp.example, token_env: ADA, permissions: [jit.approve] }
  - { email: bob@corp.example, token_env: BOB, permissions: [jit.approve] }
  - { email: carol@corp.example, token_env: CAROL }
elsewhere:
  tenant: elsewhere
  agents: [{ name: stranger, client_id: stranger, client_secret_env: STRANGER }]
limits: { requests_per_minute: 60000, requests: 20000, wait: PT2S }
`
