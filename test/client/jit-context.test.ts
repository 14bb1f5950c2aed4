import { describe, expect, it, vi } from 'vitest'
import { JitContext } from '../../client/index.ts'
import { atWork, json, networkFailure, never, reading, refusal, signedUp } from './world.ts'

/** How Node's `fetch` fails. */
const failing = (code?: string) => () => {
  const cause = Object.assign(new Error('no connection'), code === undefined ? {} : { code })
  return Promise.reject(new TypeError('fetch failed', { cause }))
}

describe('opening a task', () => {
  it('is refused while another task is open', async () => {
    const { jit } = await atWork()

    await expect(jit.createTask()).rejects.toMatchObject({ code: 'task_open', taskId: jit.taskId })
  })

  it('is refused while another task is being opened', async () => {
    const { agent } = signedUp()
    const jit = new JitContext(agent)

    const [first, second] = await Promise.allSettled([jit.createTask(), jit.createTask()])

    expect(first.status).toBe('fulfilled')
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'task_open' } })
  })

  it('sends only the given fields', async () => {
    const { world, agent } = signedUp()

    await agent.jit({ name: 'Q4', onBehalfOf: 'alice@example.com', type: '' })

    expect(world.to('POST /jit/task')[0]?.json).toEqual({
      name: 'Q4',
      on_behalf_of: 'alice@example.com',
    })
  })

  it('sends every given field, and keeps the response until the end', async () => {
    const { world, agent } = signedUp()

    const jit = await agent.jit({ name: 'Q4', type: 'analysis', parentTaskId: 'task_0' })

    expect(world.to('POST /jit/task')[0]?.json).toEqual({
      name: 'Q4',
      type: 'analysis',
      parent_task_id: 'task_0',
    })
    expect(jit.task).toMatchObject({ task_id: jit.taskId })
    await jit.completeTask()
    expect(jit.task).toBeUndefined()
  })

  it('may be repeated once the first task is completed', async () => {
    const { jit } = await atWork()
    const first = jit.taskId
    await jit.completeTask()

    await jit.createTask({ name: 'next' })

    expect(jit.taskId).not.toBe(first)
  })

  it('may be repeated after a failure', async () => {
    const { world, agent } = signedUp()
    const jit = new JitContext(agent)
    world.once('POST /jit/task', () => refusal(500, 'server_error'))
    await expect(jit.createTask()).rejects.toMatchObject({ status: 500 })

    await jit.createTask()

    expect(jit.taskId).toBeDefined()
  })

  it.each([
    ['no answer', never],
    ['an answer that cannot be read', () => new Response('<html>', { status: 200 })],
    ['an answer of a gateway', () => refusal(502, 'bad_gateway')],
    ['a timeout of a gateway', () => refusal(504, 'gateway_timeout')],
    ['a lost connection', failing('ECONNRESET')],
    ['a lost connection without a code', failing()],
  ])('throws opening_unknown after %s, since a task may exist', async (_, handler) => {
    const { world, agent } = signedUp({ deadline: 0.05 })
    world.on('POST /jit/task', handler)

    await expect(agent.jit({ name: 'Q4' })).rejects.toMatchObject({
      code: 'opening_unknown',
      message: expect.stringContaining('"Q4"'),
    })
  })

  it.each([
    ['a refusal', 'POST /jit/task', () => refusal(403, 'no'), 'permission_denied'],
    ['a 503', 'POST /jit/task', () => refusal(503, 'temporarily_unavailable'), 'api_error'],
    ['no connection', 'POST /jit/task', failing('ECONNREFUSED'), 'network_error'],
    ['an unknown host', 'POST /jit/task', failing('ENOTFOUND'), 'network_error'],
    ['no answer of DNS', 'POST /jit/task', failing('EAI_AGAIN'), 'network_error'],
    ['a failed login', 'POST /oauth/token', () => refusal(502, 'bad_gateway'), 'api_error'],
  ])('throws another error after %s, since no task exists', async (_, line, handler, code) => {
    const { world, agent } = signedUp()
    world.on(line, handler)

    await expect(agent.jit()).rejects.toMatchObject({ code })
  })

  it('ends when the caller aborts', async () => {
    const { world, agent } = signedUp()
    const abort = new AbortController()
    world.on('POST /jit/task', (it) => {
      queueMicrotask(() => abort.abort(new Error('changed my mind')))
      return never(it)
    })

    await expect(agent.jit({ signal: abort.signal })).rejects.toThrow('changed my mind')
  })
})

describe('requesting a permission', () => {
  it('is refused without a task', async () => {
    const { world, agent } = signedUp()

    await expect(new JitContext(agent).requestPermission(reading('d'))).rejects.toMatchObject({
      code: 'no_task',
    })

    expect(world.received).toEqual([])
  })

  it('is refused once the task is completed', async () => {
    const { jit } = await atWork()
    await jit.completeTask()

    await expect(jit.requestPermission(reading('d'))).rejects.toMatchObject({ code: 'no_task' })
  })

  it('requests 300 seconds by default, and never more than 900', async () => {
    const { world, jit } = await atWork()

    await jit.requestPermission(reading('d'))
    await jit.requestPermission(reading('d'), {
      ttl: 3600,
      justification: 'why not',
      callbackUrl: 'https://me.test/',
    })

    expect(world.to('POST /jit/request').map((it) => it.json)).toEqual([
      { task_id: jit.taskId, authorization_details: reading('d'), requested_ttl: 300 },
      {
        task_id: jit.taskId,
        authorization_details: reading('d'),
        requested_ttl: 900,
        justification: 'why not',
        callback_url: 'https://me.test/',
      },
    ])
  })

  it('returns every member of the response, unknown ones included', async () => {
    const { world, jit } = await atWork()
    world.on('POST /jit/request', () =>
      json(201, { request_id: 'jit_1', status: 'approved', interval: null, extra: [1] }),
    )

    await expect(jit.requestPermission(reading('d'))).resolves.toMatchObject({
      status: 'approved',
      extra: [1],
    })
  })
})

describe('waiting for an approval', () => {
  it('throws approval_timeout when no decision comes within the limit', async () => {
    const { world, jit } = await atWork()
    world.afterPolls = 1000
    const request = await jit.requestPermission(reading('d'))

    const error = await jit.waitForApproval(request).catch((it) => it)

    expect(error).toMatchObject({ code: 'approval_timeout', limit: 300 })
    expect(world.slept).toEqual(Array.from({ length: 60 }, () => 5))
  })

  it.each(['denied', 'expired', 'revoked'])('returns the decision: %s', async (status) => {
    const { world, jit } = await atWork()
    Object.assign(world, { afterPolls: 2, decision: status })
    const request = await jit.requestPermission(reading('d'))

    const decided = await jit.waitForApproval(request)

    expect(decided).toMatchObject({ status, review_notes: 'not during the audit' })
  })

  it('polls the request by its id, whatever status_url says', async () => {
    const { world, jit } = await atWork()
    world.afterPolls = 1
    const request = await jit.requestPermission(reading('d'))

    await jit.waitForApproval({ ...request, status_url: 'https://elsewhere.test/steal' } as never)

    expect(world.received.at(-1)?.url.href).toBe(
      `https://issuer.test/t/acme/api/v1/jit/request/${request.request_id}/status`,
    )
  })

  it('accepts a request_id alone', async () => {
    const { world, jit } = await atWork()
    world.afterPolls = 1
    const { request_id } = await jit.requestPermission(reading('doc_1'))

    const decided = await jit.waitForApproval(request_id)

    expect(decided).toMatchObject({ request_id, status: 'approved' })
    expect(await jit.getToken(request_id)).toMatchObject({ expires_in: 300 })
  })

  it('rejects an id that would lead to another path', async () => {
    const { jit } = await atWork()

    await expect(jit.getToken('..')).rejects.toMatchObject({ code: 'config_error' })
  })

  it('waits the interval of the response, also before the first poll', async () => {
    const { world, jit } = await atWork()
    world.afterPolls = 2
    const { request_id } = await jit.requestPermission(reading('d'))

    await jit.waitForApproval({ request_id, interval: 9 })

    expect(world.slept).toEqual([9, 9])
  })

  it('ends while it sleeps when the caller aborts', async () => {
    const { world, jit } = await atWork()
    world.afterPolls = 1000
    const abort = new AbortController()
    const request = await jit.requestPermission(reading('d'))
    world.whileSleeping = () => abort.abort(new Error('changed my mind'))

    await expect(jit.waitForApproval(request, { signal: abort.signal })).rejects.toThrow(
      'changed my mind',
    )
  })

  it('ends while it polls when the caller aborts', async () => {
    const { world, jit } = await atWork()
    const abort = new AbortController()
    world.on('GET /jit/request/jit_9/status', (it) => {
      queueMicrotask(() => abort.abort(new Error('changed my mind')))
      return never(it)
    })

    await expect(jit.waitForApproval('jit_9', { signal: abort.signal })).rejects.toThrow(
      'changed my mind',
    )
  })

  it('ends when the task is completed meanwhile', async () => {
    const { world, jit } = await atWork()
    world.afterPolls = 1000
    const request = await jit.requestPermission(reading('d'))
    world.whileSleeping = () => void jit.completeTask()

    await expect(jit.waitForApproval(request)).rejects.toMatchObject({ code: 'no_task' })
  })
})

describe('evaluating a task', () => {
  it('returns every member of the response', async () => {
    const { world, jit } = await atWork()
    const answer = { active: true, events: [], more: 'of the issuer' }
    world.on(`POST /jit/task/${jit.taskId}/evaluate`, () => json(200, answer))

    await expect(jit.evaluate()).resolves.toMatchObject(answer)
    expect(world.received.at(-1)?.token).toBeDefined()
  })

  it('sends a result only if there is one', async () => {
    const { world, jit } = await atWork()
    world.on(`POST /jit/task/${jit.taskId}/evaluate`, () => json(200, { active: true, events: [] }))

    await jit.evaluate()
    await jit.evaluate({ result: 'failed', notes: 'no access' })

    expect(world.received.slice(-2).map(({ text }) => text)).toEqual([
      '',
      '{"result":"failed","notes":"no access"}',
    ])
  })
})

describe('listing pending requests', () => {
  const item = { request_id: 'jit_1', status: 'pending' }

  it.each([[{ requests: [item] }], [{ pending_requests: [item] }], [{ data: [item] }], [[item]]])(
    'reads %j',
    async (body) => {
      const { world, jit } = await atWork()
      world.on('GET /jit/pending', () => json(200, body))

      await expect(jit.pending()).resolves.toEqual([item])
    },
  )
})

describe('completing a task', () => {
  it('throws completion_failed when it fails, and may be repeated', async () => {
    const { world, jit } = await atWork()
    const line = `POST /jit/task/${jit.taskId}/complete`
    world.once(line, () => refusal(403, 'task_forbidden'))

    const error = await jit.completeTask().catch((it) => it)
    await jit.completeTask()

    expect(error).toMatchObject({
      code: 'completion_failed',
      taskId: 'task_2',
      cause: { serverCode: 'task_forbidden' },
    })
    expect(jit.taskId).toBeUndefined()
  })

  it('makes three attempts when the issuer is unreachable', async () => {
    const { world, jit } = await atWork()
    const line = `POST /jit/task/${jit.taskId}/complete`
    world.on(line, () => {
      throw networkFailure()
    })

    await expect(jit.completeTask()).rejects.toMatchObject({ code: 'completion_failed' })

    expect(world.to(line)).toHaveLength(3)
    expect(world.slept).toEqual([1, 2])
  })

  it('is sent once, however many callers request it', async () => {
    const { world, jit } = await atWork()
    const line = `POST /jit/task/${jit.taskId}/complete`

    const answers = await Promise.all([jit.completeTask(), jit.completeTask()])
    const again = await jit.completeTask()

    expect(world.to(line)).toHaveLength(1)
    expect([...answers, again]).toEqual(Array(3).fill({ status: 'completed' }))
  })

  it.each([
    [() => new Response(null, { status: 204 }), undefined],
    [() => refusal(400, 'task_not_active'), undefined],
  ])(
    'succeeds with an empty response, and when the task has already ended',
    async (handler, answer) => {
      const { world, jit } = await atWork()
      world.on(`POST /jit/task/${jit.taskId}/complete`, handler)

      await expect(jit.completeTask()).resolves.toBe(answer)

      expect(jit.taskId).toBeUndefined()
    },
  )

  it('sends nothing without a task', async () => {
    const { world, agent } = signedUp()

    await new JitContext(agent).completeTask()

    expect(world.received).toEqual([])
  })

  it('waits for a task that is being opened', async () => {
    const { world, agent } = signedUp()
    const jit = new JitContext(agent)

    const opening = jit.createTask()
    await jit.completeTask()

    await opening
    expect(world.lines().at(-1)).toMatch(/complete$/)
  })
})

describe('leaving an await using block', () => {
  it('completes the task, also when the block throws', async () => {
    const { world, agent } = signedUp()

    const block = async () => {
      await using jit = await agent.jit()
      throw new Error(`the work failed in ${jit.taskId}`)
    }

    await expect(block()).rejects.toThrow('the work failed in task_2')
    expect(world.lines().at(-1)).toBe('POST /jit/task/task_2/complete')
  })

  it('throws completion_failed together with the error of the block', async () => {
    const { world, agent } = signedUp()
    world.on('POST /jit/task/task_2/complete', () => refusal(400, 'nope'))

    const block = async () => {
      await using _ = await agent.jit()
      throw new Error('the work failed')
    }

    await expect(block()).rejects.toMatchObject({
      name: 'SuppressedError',
      error: { code: 'completion_failed' },
      suppressed: { message: 'the work failed' },
    })
  })

  it('calls onLeftover instead, if there is one', async () => {
    const onLeftover = vi.fn()
    const { world, jit } = await atWork({ onLeftover })
    world.on(`POST /jit/task/${jit.taskId}/complete`, () => refusal(400, 'nope'))

    await jit[Symbol.asyncDispose]()

    expect(onLeftover).toHaveBeenCalledWith(expect.objectContaining({ code: 'completion_failed' }))
  })
})

/** The error `fetch` throws when the connection is refused. */
