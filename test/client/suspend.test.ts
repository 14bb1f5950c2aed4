import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ApprovalPendingError,
  documentTools,
  type JitOptions,
  LumoAuthAgent,
  refusalOf,
  type SuspendedTask,
} from '../../client/index.ts'
import { createHarness, type Harness } from '../../server/index.ts'

let harness: Harness
beforeAll(async () => {
  harness = await createHarness({ listen: false, algorithm: 'ES256' })
})
afterAll(() => harness.close())

/** A tenant with a document that a person decides about, and agents that know nothing of each other. */
const restricted = () => {
  const tenant = harness.createTenant({
    approver: { decision: 'ignore' },
    documents: [{ id: 'doc_1', title: 'HR', classification: 'restricted', body: 'private' }],
  })
  const url = `${tenant.urls.api}/v1/documents/doc_1`
  const agentOf = () =>
    new LumoAuthAgent({ env: tenant.environment, fetch: harness.fetch as typeof fetch })
  const options: JitOptions = {
    origins: [tenant.urls.api],
    allow: () => true,
    whenPending: 'throw',
  }
  const events = () => tenant.journal().map(({ type }) => type)
  return { tenant, url, agentOf, options, events }
}

/** What the task looks like in another process: text. */
const stored = (suspended: SuspendedTask): SuspendedTask => JSON.parse(JSON.stringify(suspended))

const suspendWaiting = async (at: ReturnType<typeof restricted>) => {
  const jit = await at.agentOf().jit({ name: 'Analysis', ...at.options })
  const pending = await jit.fetch(at.url).catch((error: unknown) => error)
  expect(pending).toBeInstanceOf(ApprovalPendingError)
  return { jit, pending: pending as ApprovalPendingError, text: stored(jit.suspend()) }
}

describe('a task that waits for a person', () => {
  it('throws at once what it waits for, and asks a person once', async () => {
    const at = restricted()
    const jit = await at.agentOf().jit({ name: 'Analysis', ...at.options })

    for (let times = 0; times < 3; times += 1) {
      await expect(jit.fetch(at.url)).rejects.toMatchObject({
        code: 'approval_pending',
        required: { type: 'user_data', identifier: 'doc_1' },
      })
    }

    expect(at.events().filter((it) => it === 'permission.requested')).toHaveLength(1)
    await jit.completeTask()
  })

  it('goes on in another process once it is approved, and completes there', async () => {
    const at = restricted()
    const { pending, text } = await suspendWaiting(at)
    await at.tenant.approver.approve(pending.requestId)

    const jit = at.agentOf().resume(text, at.options)
    const response = await jit.fetch(at.url)
    await jit[Symbol.asyncDispose]()

    expect(response.status).toBe(200)
    expect(at.events().filter((it) => it === 'permission.requested')).toHaveLength(1)
    expect(at.events()).toContain('token.revoked')
    expect(at.events().at(-1)).toBe('task.completed')
  })

  it('holds no token and no secret', async () => {
    const at = restricted()
    const { text } = await suspendWaiting(at)

    const shown = JSON.stringify(text)
    expect(shown).not.toContain('eyJ')
    expect(shown).not.toContain(at.tenant.environment.AGENT_CLIENT_SECRET)
    expect(text.requests).toHaveLength(1)
  })

  it('is still open after the block that suspended it, and its fetch is closed', async () => {
    const at = restricted()
    const { jit, text } = await suspendWaiting(at)
    await jit[Symbol.asyncDispose]()

    expect(at.events()).not.toContain('task.completed')
    await expect(jit.fetch(at.url)).rejects.toMatchObject({ code: 'no_task' })
    expect(() => jit.suspend()).toThrow('open a task first')
    await at.agentOf().resume(text, at.options).completeTask()
    expect(at.events().at(-1)).toBe('task.completed')
  })

  it('throws again where the person has not decided yet', async () => {
    const at = restricted()
    const { pending, text } = await suspendWaiting(at)

    const jit = at.agentOf().resume(text, at.options)

    await expect(jit.fetch(at.url)).rejects.toMatchObject({ requestId: pending.requestId })
    expect(stored(jit.suspend())).toEqual(text)
  })

  it('tells the reason of a denial, and does not ask again', async () => {
    const at = restricted()
    const { pending, text } = await suspendWaiting(at)
    await at.tenant.approver.deny(pending.requestId, { agentMessage: 'Not during the audit.' })

    const jit = at.agentOf().resume(text, at.options)
    const responses = [await jit.fetch(at.url), await jit.fetch(at.url)]

    for (const response of responses) {
      expect(response.status).toBe(403)
      expect(refusalOf(response)?.message).toContain('Not during the audit.')
    }
    expect(at.events().filter((it) => it === 'permission.requested')).toHaveLength(1)
    await jit.completeTask()
  })

  it('asks anew once the earlier request has expired', async () => {
    const at = restricted()
    const { pending, text } = await suspendWaiting(at)
    at.tenant.clock.advance('PT10M')

    const jit = at.agentOf().resume(text, at.options)

    const again = await jit.fetch(at.url).catch((error: unknown) => error)
    expect(again).toBeInstanceOf(ApprovalPendingError)
    expect((again as ApprovalPendingError).requestId).not.toBe(pending.requestId)
    await jit.completeTask()
  })

  it('is refused to another agent', async () => {
    const at = restricted()
    const { text } = await suspendWaiting(at)
    const other = harness.createTenant()
    const stranger = new LumoAuthAgent({
      env: other.environment,
      fetch: harness.fetch as typeof fetch,
    })

    await expect(stranger.resume(text).completeTask()).rejects.toMatchObject({
      code: 'completion_failed',
    })
  })

  it('cannot be resumed where another task is open', async () => {
    const at = restricted()
    const { text } = await suspendWaiting(at)
    const jit = await at.agentOf().jit(at.options)

    expect(() => jit.resumeTask(text)).toThrow(/complete task_\w+ before opening another/)
    await jit.completeTask()
  })

  it('passes through a tool, so that a framework can suspend the run', async () => {
    const at = restricted()
    const jit = await at.agentOf().jit(at.options)
    const tools = documentTools({ fetch: jit.fetch, documentsUrl: at.tenant.urls.api })

    await expect(
      tools.fetch_sensitive_document.execute({ document_id: 'doc_1' }),
    ).rejects.toBeInstanceOf(ApprovalPendingError)
    await jit.completeTask()
  })
})
