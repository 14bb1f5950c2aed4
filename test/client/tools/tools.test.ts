import { describe, expect, it } from 'vitest'
import {
  type AgentOptions,
  documentTools,
  type JitOptions,
  reportTools,
  type Tool,
} from '../../../client/index.ts'
import { api, atWork, json, networkFailure, never, refusal } from '../world.ts'

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZ2VudCJ9.c2lnbmF0dXJl'
const line = 'GET /v1/documents/doc_9982'
const input = { document_id: 'doc_9982' }

const equipped = async (options: JitOptions = {}, agent: AgentOptions = {}) => {
  const there = await atWork(options, agent)
  const { fetch } = there.jit
  const tools = {
    ...documentTools({ fetch, documentsUrl: `${api}/` }),
    ...reportTools({ fetch, env: { DOCUMENTS_API_URL: api } }),
  }
  return { ...there, tools, read: tools.fetch_sensitive_document }
}

describe('creating tools', () => {
  it.each([{}, { DOCUMENTS_API_URL: '' }, { DOCUMENTS_API_URL: 'api' }])(
    'throws without the URL of the API: %j',
    async (env) => {
      const { jit } = await atWork()

      expect(() => documentTools({ fetch: jit.fetch, env })).toThrow(
        expect.objectContaining({ code: 'config_error' }),
      )
    },
  )

  it('gives each a name, a description and a schema', async () => {
    const { tools } = await equipped()

    for (const [name, tool] of Object.entries(tools)) {
      expect(tool).toMatchObject({ name, description: expect.stringMatching(/\.$/) })
      expect(tool.inputSchema.safeParse({ unheard: 'of' }).success).toBe(false)
    }
  })
})

describe('a tool', () => {
  it('sends Accept, and Content-Type with a JSON body', async () => {
    const { world, tools, read } = await equipped({ allow: () => true })
    await read.execute(input)
    await tools.write_analysis_report.execute({ title: 'Q4', content: 'rose' })
    const sent = (line: string) => {
      const { headers, text } = world.to(line)[0] ?? {}
      return [headers?.get('accept'), headers?.get('content-type'), text]
    }

    expect(sent(line)).toEqual(['application/json', null, ''])
    expect(sent('POST /v1/reports')).toEqual([
      'application/json',
      'application/json',
      '{"title":"Q4","content":"rose"}',
    ])
  })

  it.each(['', '.hidden', '-x', 'a/b', 'a b', `a${'b'.repeat(128)}`])(
    'rejects the report id %j',
    async (report_id) => {
      const { tools } = await equipped()

      expect(await tools.fetch_report_summary.execute({ report_id })).toContain(
        'expected the id of a report',
      )
    },
  )

  it('accepts a report id of 128 characters', async () => {
    const { tools } = await equipped()
    const report_id = `a${'.-_Z9'.repeat(25)}bc`

    expect(tools.fetch_report_summary.inputSchema.safeParse({ report_id }).success).toBe(true)
  })
})

describe('a tool whose call fails', () => {
  it.each(['return', 'throw'] as const)(
    'returns the reason of a denial (%s)',
    async (onRefusal) => {
      const { world, read } = await equipped({ onRefusal })
      Object.assign(world, { decision: 'denied', afterPolls: 1 })

      await expect(read.execute(input)).resolves.toBe(
        'permission denied: file_access read doc_9982 was denied: not during the audit',
      )
    },
  )

  it('says that no decision came within the limit', async () => {
    const { world, read } = await equipped()
    world.afterPolls = 1000

    await expect(read.execute(input)).resolves.toMatch(/^permission denied: .* within 300 s$/)
  })

  it('says that allow forbids it', async () => {
    const { read } = await equipped({ allow: [] })

    await expect(read.execute(input)).resolves.toMatch(/^permission denied: not requested/)
  })

  it.each([
    [400, 'refused (400): because of nope'],
    [401, 'not signed in: because of nope'],
    [403, 'permission denied: because of nope'],
    [404, 'not found: because of nope'],
    [429, 'too many requests, try again later: because of nope'],
    [500, 'the documents API failed (500), try again later'],
  ])('explains a %i', async (status, text) => {
    const { world, read } = await equipped()
    world.on(line, () => refusal(status, 'nope'))

    await expect(read.execute(input)).resolves.toBe(text)
  })

  it.each(['', 'no json', 'null', '[]', '{"error":7}'])(
    'handles the error body %j',
    async (body) => {
      const { world, read } = await equipped()
      world.on(line, () => new Response(body, { status: 409 }))

      await expect(read.execute(input)).resolves.toBe('refused (409): no reason given')
    },
  )

  it.each([200, 403])('reads at most 1 MiB of a %i', async (status) => {
    const { world, read } = await equipped()
    world.on(line, () => new Response('x'.repeat(2 ** 20 + 1), { status }))

    expect(await read.attempt(input)).toEqual({
      ok: false,
      text: `the documents API answered ${status} with more than 1048576 bytes, the most a tool reads`,
    })
  })

  it('shows no token that the API echoes, and no stack', async () => {
    const { world, read } = await equipped()
    world.on(line, () => json(400, { error_description: `cannot use ${jwt}` }))

    await expect(read.execute(input)).resolves.toBe('refused (400): cannot use [hidden]')
  })

  it.each([
    ['the API', line, /^the documents API could not be reached/],
    ['LumoAuth', 'POST /jit/request', /could not be reached/],
  ])('says that %s is unreachable', async (_, at, text) => {
    const { world, read } = await equipped()
    world.on(at, () => {
      throw networkFailure()
    })

    await expect(read.execute(input)).resolves.toMatch(text)
  })

  it('says that LumoAuth does not answer in time', async () => {
    const { world, read } = await equipped({}, { deadline: 0.01 })
    world.on('POST /jit/request', never)

    await expect(read.execute(input)).resolves.toMatch(/could not be reached/)
  })

  it('shows at most 1000 characters of the error of the API', async () => {
    const { world, read } = await equipped()
    world.on(line, () => json(409, { error_description: 'x'.repeat(2000) }))

    await expect(read.execute(input)).resolves.toBe(`refused (409): ${'x'.repeat(1000)}`)
  })

  it('says that LumoAuth failed', async () => {
    const { world, read } = await equipped()
    world.on('POST /jit/request', () => refusal(500, 'server_error'))

    await expect(read.execute(input)).resolves.toBe('LumoAuth failed (500), try again later')
  })

  it('explains invalid input, and sends nothing', async () => {
    const { world, tools, read } = await equipped()
    const before = world.received.length

    const said = await Promise.all([
      read.execute({ document_id: '../v1/reports' }),
      read.execute({} as never),
      tools.fetch_report.execute({ report_id: '..' }),
      tools.write_analysis_report.execute({ title: '', content: 'x' }),
    ])

    for (const text of said) expect(text).toMatch(/^invalid input: /)
    expect(world.received).toHaveLength(before)
  })
})

describe('a tool whose failure needs the program', () => {
  it('throws no_task when there is no task', async () => {
    const { jit, read } = await equipped()
    await jit.completeTask()

    await expect(read.execute(input)).rejects.toMatchObject({ code: 'no_task' })
  })

  it('throws when the agent cannot authenticate', async () => {
    const { world, agent, read } = await equipped()
    agent.forgetToken('wide-token_1')
    world.on('POST /oauth/token', () => refusal(401, 'invalid_client'))

    await expect(read.execute(input)).rejects.toMatchObject({ code: 'authentication_error' })
  })

  it('throws the abort reason of the caller', async () => {
    const { world, read } = await equipped()
    const abort = new AbortController()
    world.on(line, (it) => {
      queueMicrotask(() => abort.abort(new Error('changed my mind')))
      return never(it)
    })

    await expect(read.execute(input, { signal: abort.signal })).rejects.toThrow('changed my mind')
  })
})

describe('a tool that succeeds', () => {
  it('escalates, and returns the response of the API', async () => {
    const { world, read } = await equipped()

    const text = await read.execute(input)

    expect(JSON.parse(text)).toMatchObject({ id: 'doc_9982' })
    expect(world.to('POST /jit/request')).toHaveLength(1)
  })

  it.each([
    ['list_documents', {}, 'GET /v1/documents', ''],
    ['fetch_sensitive_document', { document_id: 'a.b-c' }, 'GET /v1/documents/a.b-c', ''],
    [
      'write_document',
      { document_id: 'd', title: 't', body: 'b' },
      'PUT /v1/documents/d',
      '{"title":"t","body":"b"}',
    ],
    ['delete_document', { document_id: 'd' }, 'DELETE /v1/documents/d', ''],
    [
      'summarize_document',
      { document_id: 'd', max_words: 9 },
      'POST /v1/documents/d/summaries',
      '{"max_words":9}',
    ],
    ['list_reports', {}, 'GET /v1/reports', ''],
    [
      'write_analysis_report',
      { title: 't', content: 'c', document_ids: ['d'] },
      'POST /v1/reports',
      '{"title":"t","content":"c","document_ids":["d"]}',
    ],
    ['fetch_report', { report_id: 'r' }, 'GET /v1/reports/r', ''],
    ['fetch_report_summary', { report_id: 'r' }, 'GET /v1/reports/r/summary', ''],
  ] as const)('%s of %j is %s', async (name, input, line, text) => {
    const { world, tools } = await equipped()
    world.on(line, () => json(200, { fine: true }))

    const answer = await (tools[name] as Tool).execute(input)

    expect(answer).toBe('{"fine":true}')
    expect(world.received.at(-1)).toMatchObject({ line, text })
  })

  it('says done for an empty response', async () => {
    const { world, tools } = await equipped()
    world.on('DELETE /v1/documents/d', () => new Response(null, { status: 204 }))

    await expect(tools.delete_document.execute({ document_id: 'd' })).resolves.toBe('done')
  })
})
