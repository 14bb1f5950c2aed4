import { describe, expect, it } from 'vitest'
import { SkipScenario } from '../../../scenarios/language/target.ts'
import { run } from '../../../scenarios/runner/run.ts'
import { fakeTarget, refusal, scenarioOf, tokenOf } from '../support.ts'

const task = {
  task_id: 'task_1',
  caep_session_id: 'caep_1',
  expires_at: '2026-11-24T04:00:00Z',
  agent_id: 'agt_1',
  agent: { id: 'agt_1', name: 'report-bot' },
  on_behalf_of: null,
}
const agentToken = tokenOf({ sub: 'agent:report-bot' })

/** Answers like an issuer without rules. */
const obliging = (request: Request): Response => {
  const { pathname } = new URL(request.url)
  if (pathname.endsWith('/oauth/token')) {
    return Response.json({ access_token: agentToken, token_type: 'Bearer', expires_in: 3600 })
  }
  if (pathname.endsWith('/jit/task')) return Response.json(task, { status: 201 })
  if (pathname.endsWith('/clock')) return Response.json({ now: task.expires_at, epoch: 0 })
  return refusal(404, 'not_found')
}

const only = async (yaml: string, target = fakeTarget(obliging)) => {
  const { results } = await run([scenarioOf(yaml)], target)
  const [result] = results
  if (result === undefined) throw new Error('no result')
  return { result, target }
}

const steps = (...lines: string[]) =>
  ['scenario: Something is so', 'steps:', ...lines.map((line) => `  ${line}`)].join('\n')

describe('a failing scenario', () => {
  it('is a result with the position of the failed expectation', async () => {
    const { result } = await only(
      steps('- open_task: {}', '  expect:', '    agent: { name: other, id: agt_1 }'),
    )

    expect(result.verdict).toBe('failed')
    expect(result.failures).toMatchObject([
      {
        kind: 'expectation',
        at: { file: 'suite/theme/one.yaml', line: 5, column: 22 },
        step: '1',
        seat: 'issuer',
        differences: [{ path: 'agent.name', expected: '"other"', received: '"report-bot"' }],
      },
    ])
    expect(result.failures[0]?.message).toBe('does not match: agent.name')
    expect(result.failures[0]?.excerpt).toContain('> 5 |       agent: { name: other')
  })

  it('shows the step from its first line, and lists the first differences', async () => {
    const { result } = await only(
      steps(
        '- open_task: {}',
        '  expect:',
        '    status: 201',
        '    task_id: other',
        '    agent: { name: other, id: other }',
        '    expires_at: never',
      ),
    )

    expect(result.failures[0]?.message).toBe(
      'does not match: task_id, agent.name, agent.id and 1 more',
    )
    expect(result.failures[0]?.excerpt).toMatch(/^ {2}3 \| {3}- open_task: \{\}\n[\s\S]*\n> 6 \|/)
  })

  it('names the received status and error when the status differs', async () => {
    const { result } = await only(steps('- call: GET /v1/documents/x', '  expect: { status: 403 }'))

    expect(result.failures[0]?.message).toBe('does not match: status; answered 404 not_found (no)')
  })

  it('fails on an error that the step does not expect', async () => {
    const { result } = await only(steps('- call: GET /v1/documents/x'))

    expect(result.failures[0]?.message).toBe('expected success, answered 404 not_found (no)')
  })

  it('fails when an answer breaks its schema, and names the seat that sent it', async () => {
    const lying = (request: Request) =>
      request.url.endsWith('/jit/task')
        ? Response.json({ ...task, expires_at: 'soon' }, { status: 201 })
        : obliging(request)

    const { result } = await only(steps('- open_task: {}'), fakeTarget(lying))

    expect(result.failures).toMatchObject([
      { kind: 'violation', seat: 'issuer', at: { line: 3, column: 5 } },
    ])
    expect(result.failures[0]?.message).toContain(
      'the issuer broke the contract of jit.task.create: expires_at',
    )
  })

  it('fails on an error without an error body', async () => {
    const silent = (request: Request) =>
      request.url.includes('/v1/documents')
        ? new Response('no', { status: 403 })
        : obliging(request)

    const { result } = await only(
      steps('- call: GET /v1/documents/x', '  expect: { status: 403 }'),
      fakeTarget(silent),
    )

    expect(result.failures[0]?.message).toContain(
      'the API broke the contract of documents.read: expected content-type application/json, received text/plain',
    )
  })

  it('passes when it expects the violation', async () => {
    const lying = (request: Request) =>
      request.url.endsWith('/jit/task') ? Response.json({}, { status: 201 }) : obliging(request)

    const { result } = await only(
      steps('- open_task: {}', '  expect: { violation: { contains: task_id } }'),
      fakeTarget(lying),
    )

    expect(result.verdict).toBe('passed')
  })

  it('is a crash with its line when no answer arrives', async () => {
    const dead = () =>
      Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }))

    const { result } = await only(steps('- discover: jwks'), fakeTarget(dead))

    expect(result.failures).toMatchObject([
      { kind: 'crash', message: 'fetch failed: ECONNREFUSED', at: { line: 3, column: 5 } },
    ])
  })

  it('fails when there is nothing to save', async () => {
    const { result } = await only(
      steps('- open_task: {}', '  save: { x: no_such }', '- assert: { value: $x, expect: 1 }'),
    )

    expect(result.failures).toMatchObject([
      { message: 'nothing to save: the answer has no no_such', at: { line: 4, column: 16 } },
    ])
  })

  it('saves the part of a text that a regular expression matches', async () => {
    const { result } = await only(
      steps(
        '- open_task: {}',
        "  save: { id: { from: task_id, matches: '^(....)_' } }",
        '- assert: { value: $id, expect: task }',
      ),
    )

    expect(result.failures).toEqual([])
  })

  it('fails when the regular expression of save does not match', async () => {
    const { result } = await only(
      steps(
        '- open_task: {}',
        "  save: { x: { from: task_id, matches: 'code=(.+)' } }",
        '- assert: { value: $x, expect: 1 }',
      ),
    )

    expect(result.failures).toMatchObject([
      { message: 'nothing to save: task_id does not match /code=(.+)/', at: { line: 4 } },
    ])
  })

  it('still deletes its tenants', async () => {
    const { target } = await only(steps('- call: GET /v1/documents/x'))

    expect(target.opened).toEqual(['theme-one'])
    expect(target.closed).toEqual(['theme-one'])
  })

  it('performs no further step', async () => {
    const { result } = await only(steps('- call: GET /v1/x', '- open_task: {}'))

    expect(result.steps.map((it) => [it.word, it.passed])).toEqual([['call', false]])
  })
})

describe('a scenario', () => {
  it('is skipped with the reason when the target lacks something', async () => {
    const target = fakeTarget(obliging, { capabilities: ['control'] })

    const { result } = await only(steps('- approve: { request_id: x }'), target)

    expect(result).toMatchObject({ verdict: 'skipped', reason: 'the target lacks approver' })
    expect(target.opened).toEqual([])
  })

  it('is skipped when its real wait would exceed the limit', async () => {
    const target = fakeTarget(obliging, { capabilities: [] })

    const { result } = await only(steps('- advance: PT1H'), target)

    expect(result.reason).toBe('it needs 3600 s, and the target has no virtual time')
  })

  it('is skipped when the target cannot provide its given', async () => {
    const target = {
      ...fakeTarget(obliging),
      open: () => Promise.reject(new SkipScenario('the target has no document doc_1')),
    }

    const { results } = await run([scenarioOf(steps('- open_task: {}'))], target)

    expect(results).toMatchObject([
      { verdict: 'skipped', reason: 'the target has no document doc_1' },
    ])
  })

  it('runs once under each prefix with prefix: both', async () => {
    const scenario = scenarioOf(`prefix: both\n${steps('- open_task: {}')}`)

    const { results } = await run([scenario], fakeTarget(obliging))

    expect(results.map((it) => it.exchanges.at(-1)?.request.url)).toEqual([
      'https://issuer.test/t/theme-one/api/v1/jit/task',
      'https://issuer.test/orgs/theme-one-org/api/v1/jit/task',
    ])
  })

  it('numbers the exchanges of branches by step, branch and step', async () => {
    const { result } = await only(
      steps(
        '- authenticate: {}',
        '- parallel: { times: 2, steps: [{ open_task: {} }, { open_task: {} }] }',
      ),
    )

    expect(result.exchanges.map((it) => it.step)).toEqual(['1', '2.1.1', '2.1.2', '2.2.1', '2.2.2'])
  })

  it('keeps only the exchanges of the last attempt of eventually', async () => {
    let asked = 0
    const slow = (request: Request) => {
      if (!request.url.endsWith('/jwks.json')) return obliging(request)
      asked += 1
      return asked < 3
        ? refusal(503, 'later')
        : Response.json({ keys: [{ kty: 'RSA', kid: 'a', use: 'sig', alg: 'RS256' }] })
    }

    const { result } = await only(
      steps('- eventually: { within: PT5S, steps: [{ discover: jwks }] }'),
      fakeTarget(slow),
    )

    expect(result.verdict).toBe('passed')
    expect(result.exchanges.map((it) => it.answer.status)).toEqual([200])
  })

  it('reads status in expect as the body’s when it is a word, as HTTP’s when it is a number', async () => {
    const { result } = await only(
      steps('- request_status: { request_id: x }', '  expect: { status: 404, error: not_found }'),
    )

    expect(result.verdict).toBe('passed')
  })
})

describe('running', () => {
  const passing = scenarioOf(steps('- open_task: {}'), 'suite/a.yaml')
  const failing = scenarioOf(steps('- call: GET /v1/x'), 'suite/b.yaml')

  it('returns results in the order of the scenarios', async () => {
    const { results } = await run([failing, passing], fakeTarget(obliging), { repeat: 2 })

    expect(results.map((it) => [it.file, it.round, it.verdict])).toEqual([
      ['suite/b.yaml', 1, 'failed'],
      ['suite/b.yaml', 2, 'failed'],
      ['suite/a.yaml', 1, 'passed'],
      ['suite/a.yaml', 2, 'passed'],
    ])
  })

  it('starts no further scenario after a failure with bail', async () => {
    const { results } = await run([failing, passing], fakeTarget(obliging), {
      bail: true,
      concurrency: 1,
    })

    expect(results.map((it) => it.verdict)).toEqual(['failed', 'skipped'])
  })

  it('calls onResult for each result as it arrives', async () => {
    const seen: string[] = []

    await run([passing, failing], fakeTarget(obliging), { onResult: ({ file }) => seen.push(file) })

    expect(seen.toSorted()).toEqual(['suite/a.yaml', 'suite/b.yaml'])
  })
})

describe('what a result holds', () => {
  it('contains no secret in any encoding', async () => {
    const { result } = await only(
      steps(
        '- authenticate: {}',
        '  save: { stolen: access_token }',
        '- authenticate: { method: basic }',
        '- open_task: { name: $stolen }',
        '- call: GET /v1/documents/x',
        '  expect: { error: { not: $stolen }, body: { message: $stolen } }',
      ),
    )

    const text = JSON.stringify(result)
    const secret = 'a+secret/of the agent'
    for (const form of [
      secret,
      encodeURIComponent(secret),
      new URLSearchParams({ secret }).toString().slice(7),
      btoa(`report-bot:${encodeURIComponent(secret)}`),
      agentToken,
      agentToken.split('.')[2] ?? '',
      'the-control-token',
    ]) {
      expect(text).not.toContain(form)
    }
    expect(result.exchanges[0]?.request.body).toContain('client_secret=‹client secret 1›')
    expect(result.exchanges[0]?.answer.body).toContain('"access_token":"‹agent token 1›"')
    expect(result.failures[0]?.differences[0]?.expected).toBe('"‹agent token 1›"')
  })

  it('contains the claims of tokens under their replacement names', async () => {
    const { result } = await only(steps('- authenticate: {}'))

    expect(result.tokens).toMatchObject([
      { name: '‹agent token 1›', claims: { sub: 'agent:report-bot' } },
    ])
  })
})
