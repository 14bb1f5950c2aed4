import { describe, it as plainly } from 'vitest'
import { LumoAuthAgent } from '../../../client/index.ts'
import { expect, test } from '../../../server/vitest/vitest.ts'

const reading = (identifier: string) => ({ type: 'file_access', actions: ['read'], identifier })
const document = (api: string, id = 'doc_9982') => `${api}/v1/documents/${id}`

describe('the fixtures', () => {
  test('let an agent read a document it may request', async ({ jit, tenant }) => {
    const response = await jit.fetch(document(tenant.urls.api))

    expect(response.status).toBe(200)
  })

  test('name the task after the test', async ({ jit, tenant }) => {
    expect(tenant.journal()).toContainEqual(
      expect.objectContaining({
        type: 'task.opened',
        task: expect.objectContaining({ id: jit.taskId, name: 'name the task after the test' }),
      }),
    )
  })

  const tenants = new Set<string>()
  test('give the first test a tenant', ({ tenant }) => {
    tenants.add(tenant.tenant)

    expect(tenant.agents).toMatchObject([{ name: 'report-bot' }])
  })
  test('give the next test another tenant of the same harness', ({ tenant, harness }) => {
    expect(tenants).not.toContain(tenant.tenant)
    expect(tenant.environment.LUMOAUTH_URL).toBe(harness.issuer)
  })

  test('move the clock instead of waiting', async ({ jit, tenant, approver, clock }) => {
    approver.answers({ decision: 'approve', after: 'PT2M' })
    const before = clock.now()
    const request = await jit.requestPermission({ type: 'user_data', actions: ['read'] })

    const decided = await jit.waitForApproval(request)

    expect(decided.status).toBe('approved')
    expect(clock.now() - before).toBeGreaterThanOrEqual(120)
    expect(tenant.exchanges().length).toBeGreaterThan(10)
  })

  test('let a person decide while the agent waits', async ({ jit, approver }) => {
    const request = await jit.requestPermission({ type: 'user_data', actions: ['read'] })

    const [decided] = await Promise.all([
      jit.waitForApproval(request),
      approver.deny(request, { agentMessage: 'Not today.' }),
    ])

    expect(decided).toMatchObject({ status: 'denied', agent_message: 'Not today.' })
  })

  test('enable a misbehaviour', async ({ tenant, agent, misbehave }) => {
    const { misbehaviours } = await import('../../../server/misbehaviours/catalogue.ts')
    await misbehave({ name: misbehaviours[0]?.name ?? '', times: 1 })

    await agent.authenticate().catch(() => undefined)

    expect(tenant.exchanges().length).toBeLessThanOrEqual(1)
  })

  describe('accept other seeds', () => {
    test.override('seed', { agents: [{ name: 'crew' }, { name: 'intern' }] })
    test.override('jitOptions', { name: 'Night shift' })

    test('for the tests of a describe block', async ({ jit, tenant }) => {
      expect(tenant.agents.map(({ name }) => name)).toEqual(['crew', 'intern'])
      expect(jit.agent.baseUrl).toContain(tenant.tenant)
    })
  })
})

/** The message of a failing expectation. */
const complaint = (expectation: () => unknown): string => {
  try {
    expectation()
  } catch (failed) {
    return (failed as Error).message
  }
  throw new Error('it did not fail')
}

describe('toHaveRequested', () => {
  test('passes for exactly the requested details, in any order', async ({ jit, agent, tenant }) => {
    await jit.requestPermission({ type: 'file_access', actions: ['write', 'read'] })

    for (const asked of [jit, agent, tenant]) {
      expect(asked).toHaveRequested({ type: 'file_access', actions: ['read', 'write'] })
      expect(asked).not.toHaveRequested({ type: 'file_access', actions: ['read'] })
    }
  })

  test('accepts matchers inside a detail', async ({ jit, agent }) => {
    await jit.requestPermission(reading('doc_1'))

    expect(agent).toHaveRequested(reading(expect.stringMatching(/^doc_/)))
  })

  test('accepts a matcher for the whole detail, also negated', async ({ jit, agent }) => {
    await jit.requestPermission(reading('doc_1'))

    expect(agent).toHaveRequested(expect.objectContaining({ identifier: 'doc_1' }))
    expect(agent).not.toHaveRequested(expect.objectContaining({ type: 'user_data' }))
    expect(() =>
      expect(agent).not.toHaveRequested(expect.objectContaining({ type: 'file_access' })),
    ).toThrow('not to have requested')
    expect(() => expect(agent).not.toHaveRequested(expect.anything())).toThrow()
  })

  test('accepts matchers for members of a list', async ({ jit, agent }) => {
    await jit.requestPermission({ type: 'file_access', actions: ['write', 'read'] })

    expect(agent).toHaveRequested({
      type: 'file_access',
      actions: ['read', expect.stringMatching(/^w/)],
    })
  })

  test.for([undefined, null, 'user_data', [], {}, { identifier: 'doc_1' }, { type: '' }])(
    'rejects %j, also negated: it could never match',
    (detail, { agent }) => {
      for (const expectation of [expect(agent), expect(agent).not]) {
        expect(() => expectation.toHaveRequested(detail as never)).toThrow(
          /^toHaveRequested: expected an authorization detail with a type/,
        )
        expect(() => expectation.toHaveUsedOnly([detail as never])).toThrow(
          /^toHaveUsedOnly: expected an authorization detail with a type/,
        )
        if (Array.isArray(detail)) continue
        expect(() => expectation.toHaveUsedOnly(detail as never)).toThrow(
          /^toHaveUsedOnly: expected/,
        )
      }
    },
  )

  test('says what was requested instead', async ({ jit, agent }) => {
    await jit.requestPermission({ type: 'file_access', actions: ['delete'], identifier: 'doc_1' })

    expect(complaint(() => expect(agent).toHaveRequested(reading('doc_1')))).toBe(
      [
        'expected report-bot to have requested',
        '  {"type":"file_access","actions":["read"],"identifier":"doc_1"}',
        'It requested',
        '  {"type":"file_access","actions":["delete"],"identifier":"doc_1"} (pending)',
      ].join('\n'),
    )
  })

  test('says that nothing was requested', ({ agent }) => {
    expect(complaint(() => expect(agent).toHaveRequested(reading('doc_1')))).toContain(
      'It requested nothing.',
    )
  })
})

describe('toHaveCompletedItsTask', () => {
  test('passes once the task is completed', async ({ jit, agent, tenant }) => {
    expect(agent).not.toHaveCompletedItsTask()

    await jit.completeTask()

    expect(agent).toHaveCompletedItsTask()
    expect(tenant).toHaveCompletedItsTask()
  })

  test('names the task that is still open, and counts its tokens', async ({
    jit,
    agent,
    tenant,
  }) => {
    await jit.fetch(document(tenant.urls.api))

    expect(complaint(() => expect(agent).toHaveCompletedItsTask())).toBe(
      [
        'expected report-bot to have completed its task',
        `${jit.taskId} (names the task that is still open, and counts its tokens) is still active; 1 of its tokens is still valid.`,
      ].join('\n'),
    )
  })

  test('says that a task has expired', async ({ jit, clock }) => {
    clock.advance('P1D')

    expect(complaint(() => expect(jit).toHaveCompletedItsTask())).toContain('is expired')
  })

  test('does not hold for an agent that opened none', ({ agent }) => {
    expect(complaint(() => expect(agent).toHaveCompletedItsTask())).toContain('It opened no task.')
  })
})

describe('toHaveUsedOnly', () => {
  test('passes when the details used are among the given ones', async ({ jit, agent, tenant }) => {
    await jit.fetch(document(tenant.urls.api))

    expect(agent).toHaveUsedOnly([reading('doc_9982')])
    expect(jit).toHaveUsedOnly([{ ...reading('doc_9982'), actions: ['read', 'write'] }])
    expect(agent).not.toHaveUsedOnly([])
  })

  test('names the detail that is not, and where it was used', async ({ jit, agent, tenant }) => {
    await jit.fetch(document(tenant.urls.api))

    const said = complaint(() => expect(agent).toHaveUsedOnly([reading('doc_1')]))

    expect(said).toContain('expected report-bot to have used only')
    expect(said).toContain('"identifier":"doc_9982"')
    expect(said).toMatch(/for GET \/t\/[^/]+\/v1\/documents\/doc_9982/)
  })

  test('fails when nothing was used, unless nothing was expected', ({ agent }) => {
    expect(agent).toHaveUsedOnly([])
    expect(complaint(() => expect(agent).toHaveUsedOnly([reading('doc_1')]))).toContain(
      'It used no permission.',
    )
  })
})

plainly('matchers say whom they can be asked of', () => {
  const stranger = new LumoAuthAgent({ tenant: 't', clientId: 'c', clientSecret: 's' })

  expect(() => expect(stranger).toHaveCompletedItsTask()).toThrow(
    'expected a tenant, or one of the fixtures agent and jit',
  )
})
