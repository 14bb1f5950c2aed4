import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHarness, type Harness } from '../../../../server/index.ts'
import type { ModelConversations } from '../../../../server/wire/index.ts'

let harness: Harness

beforeAll(async () => {
  harness = await createHarness({ listen: false })
})

afterAll(async () => {
  await harness.close()
})

type Script = NonNullable<Parameters<Harness['createTenant']>[0]>['model']

/** A tenant whose model follows this script, and functions that send requests to it. */
const scripted = (model?: Script) => {
  const tenant = harness.createTenant(model ? { model } : {})
  const { base_url, api_key } = tenant.model
  const post = async (path: string, body: object, key = api_key) => {
    const response = await harness.fetch(base_url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'scripted', ...body }),
    })
    const text = await response.text()
    return { status: response.status, text, json: () => JSON.parse(text) }
  }
  return {
    tenant,
    chat: (messages: object[], more: object = {}, key?: string) =>
      post('/chat/completions', { messages, ...more }, key),
    respond: (input: string | object[], more: object = {}) =>
      post('/responses', { input, ...more }),
    get: async (path: string) => {
      const headers = { authorization: `Bearer ${api_key}` }
      const response = await harness.fetch(base_url + path, { headers })
      return { status: response.status, body: (await response.json()) as Any }
    },
    control: async (method: string, path: string, body?: object) => {
      const url = `${harness.issuer}/_harness/tenants/${tenant.tenant}${path}`
      const response = await harness.fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${harness.controlToken}`,
          'content-type': 'application/json',
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      return { status: response.status, body: (await response.json()) as Any }
    },
  }
}

/** The placeholder for a tool result. */
const result = (path = '') => `\${tool_result${path}}`

const user = (content: string) => ({ role: 'user', content })
const tool = (content: string, tool_call_id = 'call_1') => ({ role: 'tool', tool_call_id, content })
const offering = (...names: string[]) => ({
  tools: names.map((name) => ({ type: 'function', function: { name, parameters: {} } })),
})

/** Functions as the responses API writes them. */
const functions = (...names: string[]) =>
  names.map((name) => ({ type: 'function', name, parameters: {} }))

const functionOf = (name: string, property: string, type: string) => ({
  type: 'function',
  function: {
    name,
    parameters: { type: 'object', properties: { [property]: { type } }, required: [property] },
  },
})

/** Tools with the names of a guide, and other parameters. */
const writing = {
  tools: [
    functionOf('fetch_sensitive_document', 'number', 'integer'),
    functionOf('write_analysis_report', 'content', 'string'),
  ],
}

describe('a model without its own script', () => {
  const parameters = {
    type: 'object',
    properties: { id: { type: 'string' }, depth: { type: 'integer', minimum: 2 }, more: {} },
    required: ['id', 'depth'],
  }
  const lookUp = { tools: [{ type: 'function', function: { name: 'look_up', parameters } }] }

  it('accepts any model name, and records it', async () => {
    const { chat, control, get } = scripted()

    const { status, json } = await chat([user('hi')], { model: 'gpt-5.6-luna' })

    expect(status).toBe(200)
    expect(json().model).toBe('gpt-5.6-luna')
    expect((await get('/models/gpt-5.6-luna')).status).toBe(200)
    const { body } = await control('GET', '/conversations')
    expect(body.conversations.at(-1).model).toBe('gpt-5.6-luna')
  })

  it('calls the first offered tool by its schema, and answers with the result', async () => {
    const { chat } = scripted()

    const first = (await chat([user('Order 7?')], lookUp)).json().choices[0].message
    const [call] = first.tool_calls
    const second = await chat([user('Order 7?'), first, tool('shipped', call.id)], lookUp)

    expect(call.function.name).toBe('look_up')
    expect(JSON.parse(call.function.arguments)).toEqual({ id: 'Order 7?', depth: 2 })
    expect(second.json().choices[0].message.content).toBe('The tool answered: shipped')
  })

  it('rejects a tool_choice that the request has no tools for, with the tools it has', async () => {
    const { chat, respond } = scripted()
    const cancel = { type: 'function', function: { name: 'cancel' } }

    const unknown = await chat([user('hi')], { ...lookUp, tool_choice: cancel })
    const empty = await respond('hi', { tool_choice: 'required' })
    const malformed = await chat([user('hi')], { ...lookUp, tool_choice: 'always' })

    expect([unknown, empty, malformed].map(({ status }) => status)).toEqual([400, 400, 400])
    expect(unknown.json().error).toMatchObject({
      param: 'tool_choice',
      message: 'tool_choice: expected a tool of the request (look_up), received "cancel"',
    })
    expect(empty.json().error).toMatchObject({
      param: 'tool_choice',
      message: 'tool_choice: expected tools in the request, received none',
    })
    expect(malformed.json().error.message).toMatch(/tool_choice: expected "none", "auto"/)
  })

  it.each([
    ['none', undefined],
    ['auto', 'look_up'],
    ['required', 'look_up'],
    [{ type: 'function', function: { name: 'cancel' } }, 'cancel'],
    [
      {
        type: 'allowed_tools',
        allowed_tools: {
          mode: 'auto',
          tools: [{ type: 'function', function: { name: 'cancel' } }],
        },
      },
      'cancel',
    ],
  ])('respects the tool_choice %j', async (tool_choice, expected) => {
    const { chat } = scripted()

    const { json } = await chat([user('hi')], { ...offering('look_up', 'cancel'), tool_choice })

    expect(json().choices[0].message.tool_calls?.[0].function.name).toBe(expected)
  })

  it('respects the tool_choice of the responses API', async () => {
    const { respond } = scripted()
    const tools = [{ type: 'web_search' }, ...functions('look_up', 'cancel')]
    const cancel = { type: 'function', name: 'cancel' }
    const only = { type: 'allowed_tools', mode: 'required', tools: [cancel] }

    const choices = ['none', 'auto', cancel, only, { type: 'web_search' }]
    const answers = await Promise.all(
      choices.map((tool_choice) => respond('hi', { tools, tool_choice })),
    )

    expect(answers.map(({ json }) => json().output[0].name)).toEqual([
      undefined,
      'look_up',
      'cancel',
      'cancel',
      'look_up',
    ])
  })

  it('calls every tool once before one again, as long as a call is required', async () => {
    const { chat } = scripted()
    const required = { ...offering('look_up', 'final_answer'), tool_choice: 'required' }
    const first = (await chat([user('hi')], required)).json().choices[0].message

    const { json } = await chat(
      [user('hi'), first, tool('shipped', first.tool_calls[0].id)],
      required,
    )

    expect(json().choices[0].message.tool_calls[0].function.name).toBe('final_answer')
  })

  it('does not call tools that OpenAI runs, and tools that take no JSON', async () => {
    const { respond } = scripted()

    const { json } = await respond('hi', {
      tools: [{ type: 'web_search' }, { type: 'custom', name: 'run_code' }],
    })

    expect(json().output).toMatchObject([{ type: 'message', content: [{ text: 'You said: hi' }] }])
  })

  it('answers with JSON where the request demands it, after the call', async () => {
    const { chat, respond } = scripted()
    const schema = {
      type: 'object',
      properties: { answer: { type: 'string' }, sure: { type: 'boolean' } },
      required: ['answer', 'sure'],
    }
    const response_format = { type: 'json_schema', json_schema: { name: 'answer', schema } }
    const text = { format: { type: 'json_schema', name: 'answer', schema } }

    const call = await chat([user('hi')], { ...lookUp, response_format })
    const answer = await chat([user('hi')], { response_format })
    const object = await chat([user('hi')], { response_format: { type: 'json_object' } })
    const response = await respond('hi', { text })

    expect(call.json().choices[0].finish_reason).toBe('tool_calls')
    expect(JSON.parse(answer.json().choices[0].message.content)).toEqual({
      answer: 'You said: hi',
      sure: true,
    })
    expect(JSON.parse(object.json().choices[0].message.content)).toEqual({
      answer: 'You said: hi',
    })
    expect(JSON.parse(response.json().output[0].content[0].text)).toEqual({
      answer: 'You said: hi',
      sure: true,
    })
  })

  it('streams improvised calls and answers in both APIs', async () => {
    const { chat, respond } = scripted()

    const chunks = dataOf((await chat([user('Order 7?')], { ...lookUp, stream: true })).text)
    const events = dataOf((await respond('hi', { model: 'any', stream: true })).text)

    expect(
      chunks
        .flatMap((it) => it.choices[0]?.delta.tool_calls?.[0].function.arguments ?? [])
        .join(''),
    ).toBe('{"id":"Order 7?","depth":2}')
    expect(events.at(-1)?.response).toMatchObject({
      model: 'any',
      output: [{ content: [{ text: 'You said: hi' }] }],
    })
  })

  it('begins anew with the next question, and with the tools of another agent', async () => {
    const { chat } = scripted()
    const answered = [
      user('Order 7?'),
      { role: 'assistant', content: null, tool_calls: [called('look_up', {})] },
      tool('shipped'),
    ]

    const next = await chat(
      [...answered, { role: 'assistant', content: 'Shipped.' }, user('And 8?')],
      lookUp,
    )
    const handedOver = await chat(answered, offering('cancel'))
    const reminded = await chat([...answered, user('Analyze the result.')], lookUp)

    expect(next.json().choices[0].message.tool_calls[0].function.arguments).toContain('And 8?')
    expect(handedOver.json().choices[0].message.tool_calls[0].function.name).toBe('cancel')
    expect(reminded.json().choices[0].message.content).toBe('The tool answered: shipped')
  })

  it('fits the calls of the default script to the schema of the tool', async () => {
    const { chat } = scripted()
    const document = '{"id":"doc_9982","body":"It rose.","updated_by":"system"}'
    const read = (await chat([user('Analyse doc_9982')], writing)).json().choices[0].message

    const write = await chat([user('Analyse doc_9982'), read, tool(document)], writing)

    const [call] = write.json().choices[0].message.tool_calls
    expect(JSON.parse(read.tool_calls[0].function.arguments)).toEqual({ number: 1 })
    expect(call.function.name).toBe('write_analysis_report')
    expect(JSON.parse(call.function.arguments)).toEqual({
      content: 'The document says: It rose.',
    })
  })

  it('lists tool_choice and the form of the answer as ignored only with a script', async () => {
    const [own, none] = [scripted({ replies: [{ say: 'Hi.' }] }), scripted()]
    const demands = { tool_choice: 'none', response_format: { type: 'text' }, seed: 1 }
    for (const { chat } of [own, none]) await chat([user('hi')], demands)

    const recorded = await Promise.all(
      [own, none].map(({ control }) => control('GET', '/conversations')),
    )

    expect(recorded.map(({ body }) => body.conversations[0].ignored)).toEqual([
      ['tool_choice', 'response_format', 'seed'],
      ['seed'],
    ])
  })
})

describe('the scripted model rejects', () => {
  it('another tenant’s API key with invalid_api_key', async () => {
    const { chat } = scripted()
    const other = scripted().tenant.model.api_key

    const { status, json } = await chat([user('hello')], {}, other)

    expect(status).toBe(401)
    expect(json().error).toMatchObject({ code: 'invalid_api_key', type: 'invalid_request_error' })
  })

  it('an unknown model with model_not_found', async () => {
    const { chat } = scripted({ models: ['small'], replies: [{ say: 'hello' }] })

    const { status, json } = await chat([user('hello')], { model: 'large' })

    expect(status).toBe(404)
    expect(json().error).toMatchObject({
      code: 'model_not_found',
      param: 'model',
      message:
        'unknown model: large; expected small. Add it to models of the script, or remove models to answer any name',
    })
  })

  it('a conversation without a scripted reply, with the last message and why each reply does not match', async () => {
    const { chat } = scripted({
      replies: [{ say: 'Hello.' }, { when: { tool_result_contains: 'Revenue' }, say: 'It rose.' }],
    })

    const { status, json } = await chat([
      user('hello'),
      { role: 'assistant', content: 'Hello.' },
      user('and the revenue?'),
    ])

    expect(status).toBe(400)
    expect(json().error).toEqual({
      type: 'invalid_request_error',
      code: 'no_scripted_reply',
      param: 'messages',
      message:
        'the script has no reply to this conversation. Last message: user, "and the revenue?". Replies: 1: already given; 2: tool_result_contains "Revenue" does not hold. Add one to replies, such as - { when: { last_message_contains: "and the revenue?" }, say: "…" }',
    })
  })

  it.each([
    ['', '- { when: { turn: 1 }, say: "…" }'],
    ['🙂'.repeat(41), `- { when: { last_message_contains: "${'🙂'.repeat(40)}" }, say: "…" }`],
  ])('a message %j with a reply that is valid when it is added', async (text, suggestion) => {
    const { chat, control } = scripted({ replies: [{ when: { offers: 'read' }, say: 'Hello.' }] })
    const { json } = await chat([user(text)])
    const [, suggested] = json().error.message.split('such as ')

    const { status } = await control('PUT', '/model', { yaml: `replies:\n  ${suggested}\n` })

    expect(suggested).toBe(suggestion)
    expect(status).toBeLessThan(300)
    expect((await chat([user(text)])).status).toBe(200)
  })

  it('a reply whose placeholder is in no tool result', async () => {
    const { chat } = scripted({
      replies: [{ say: `The title is ${result('.title')}` }],
    })

    const { json } = await chat([user('read'), tool('{"error":"denied"}')])

    expect(json().error.message).toBe(
      `reply 1 uses ${result('.title')}, which no tool result contains. Newest result: tool, "{\\"error\\":\\"denied\\"}". Give the reply a condition, such as when: { tool_result_contains: "…" }`,
    )
  })

  it('a request above 4 MiB with 413; a long conversation is accepted', async () => {
    const { chat } = scripted({ replies: [{ say: 'Fine.' }] })

    const long = await chat([user('x'.repeat(1024 * 1024))])
    const tooLong = await chat([user('x'.repeat(4 * 1024 * 1024))])

    expect([long.status, tooLong.status]).toEqual([200, 413])
    expect(tooLong.json().error).toMatchObject({ code: 'request_too_large' })
  })

  it('an unknown previous_response_id with previous_response_not_found', async () => {
    const { respond } = scripted()

    const { status, json } = await respond('go on', { previous_response_id: 'resp_1' })

    expect(status).toBe(400)
    expect(json().error.code).toBe('previous_response_not_found')
  })

  it('a script with mistakes, with file, line and column', async () => {
    const { control } = scripted()

    const { status, body } = await control('PUT', '/model', {
      file: 'analyst.yaml',
      yaml: 'replies:\n  - say: hello\n  - cal: { name: read }\n',
    })

    expect(status).toBe(400)
    expect(body).toMatchObject({
      error: 'invalid_script',
      error_description:
        'analyst.yaml:3:5: replies.1: unknown key "cal"; did you mean "call"?\nanalyst.yaml:3:5: replies.1: expected say, call or both',
    })
  })
})

describe('the scripted model', () => {
  it('gives its replies in order, each once per conversation', async () => {
    const { chat } = scripted({ replies: [{ say: 'One.' }, { say: 'Two.' }] })

    const first = await chat([user('count')])
    const second = await chat([user('count'), { role: 'assistant', content: 'One.' }, user('on')])

    expect(first.json().choices[0].message.content).toBe('One.')
    expect(second.json().choices[0].message.content).toBe('Two.')
  })

  it('repeats a reply that is marked as repeatable', async () => {
    const { chat } = scripted({ replies: [{ say: 'Hm.', repeat: true }] })

    const { json } = await chat([user('a'), { role: 'assistant', content: 'Hm.' }, user('b')])

    expect(json().choices[0].message.content).toBe('Hm.')
  })

  it('gives the same conversation the same reply, so that retries change nothing', async () => {
    const { chat } = scripted({ replies: [{ say: 'One.' }, { say: 'Two.' }] })

    const answers = await Promise.all([chat([user('count')]), chat([user('count')])])

    expect(answers.map(({ json }) => json().choices[0].message.content)).toEqual(['One.', 'One.'])
  })

  it.each([
    [{ tool_result_contains: ['title', 'Q4'] }, true],
    [{ tool_result_contains: 'Q3' }, false],
    [{ last_message_contains: 'Q4 revenue' }, true],
    [{ last_message_contains: 'analyst' }, false],
    [{ conversation_contains: 'You are an analyst' }, true],
    [{ offers: 'write' }, true],
    [{ offers: ['write', 'delete'] }, false],
    [{ model: 'scripted' }, true],
    [{ model: 'gpt-4' }, false],
    [{ turn: 2 }, true],
    [{ turn: 1 }, false],
  ])('evaluates the condition %j to %s', async (when, holds) => {
    const { chat } = scripted({ replies: [{ when, say: 'yes' }, { say: 'no' }] })

    const { json } = await chat(
      [
        { role: 'system', content: 'You are an analyst' },
        user('read'),
        { role: 'assistant', content: null, tool_calls: [called('read', { id: 'doc_1' })] },
        tool('{"title":"Q4 revenue"}'),
      ],
      offering('read', 'write'),
    )

    expect(json().choices[0].message.content).toBe(holds ? 'yes' : 'no')
  })

  it('matches only tool results after its last turn', async () => {
    const { chat } = scripted({
      replies: [{ when: { tool_result_contains: 'Q4' }, say: 'new' }, { say: 'old' }],
    })

    const { json } = await chat([tool('Q4'), { role: 'assistant', content: 'I see.' }, user('go')])

    expect(json().choices[0].message.content).toBe('old')
  })

  it('fills in the result of a tool, even if a framework has wrapped it', async () => {
    const { chat } = scripted({
      replies: [{ call: { name: 'write', arguments: { lines: [`It says: ${result('.body')}`] } } }],
    })

    const { json } = await chat([
      user('read'),
      tool(JSON.stringify({ result: JSON.stringify({ body: 'Revenue rose.', version: 1 }) })),
    ])

    expect(JSON.parse(json().choices[0].message.tool_calls[0].function.arguments)).toEqual({
      lines: ['It says: Revenue rose.'],
    })
  })

  it('fills in from the newest result that has the field', async () => {
    const { chat } = scripted({ replies: [{ say: result('.title') }] })

    const { json } = await chat([
      tool('{"title":"Q3"}'),
      tool('{"title":"Q4"}', 'call_2'),
      tool('{"summary":"Fine."}', 'call_3'),
    ])

    expect(json().choices[0].message.content).toBe('Q4')
  })

  it('matches all results of parallel tool calls', async () => {
    const { chat } = scripted({ replies: [{ say: `They say: ${result()}` }] })

    const { json } = await chat([
      tool('old'),
      { role: 'assistant', content: 'I see.' },
      tool('denied', 'call_2'),
      tool('not found', 'call_3'),
    ])

    expect(json().choices[0].message.content).toBe('They say: denied\nnot found')
  })

  it('recognizes its own turn after placeholders were filled in', async () => {
    const { chat } = scripted({ replies: [{ say: `It says: ${result()}!` }, { say: 'Done.' }] })

    const { json } = await chat([
      tool('Q4'),
      { role: 'assistant', content: 'It says: Q4!' },
      user('go on'),
    ])

    expect(json().choices[0].message.content).toBe('Done.')
  })

  it('calls several tools at once', async () => {
    const { chat } = scripted({
      replies: [{ say: 'Both.', call: [{ name: 'read' }, { name: 'list' }] }],
    })

    const { json } = await chat([user('read all')])

    expect(json().choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'Both.',
        tool_calls: [
          { type: 'function', function: { name: 'read', arguments: '{}' } },
          { type: 'function', function: { name: 'list', arguments: '{}' } },
        ],
      },
    })
  })

  it('reports more tokens for longer texts', async () => {
    const { chat } = scripted({ replies: [{ say: 'Fine.' }] })

    const short = (await chat([user('hello')])).json().usage
    const long = (await chat([user('hello '.repeat(100))])).json().usage

    expect(short.total_tokens).toBe(short.prompt_tokens + short.completion_tokens)
    expect(long.prompt_tokens).toBeGreaterThan(short.prompt_tokens + 100)
    expect(long.completion_tokens).toBe(short.completion_tokens)
  })

  it('streams a chat completion whose chunks add up to the whole', async () => {
    const { chat } = scripted({
      replies: [
        {
          say: 'Naïve 🙂 words of some length',
          call: { name: 'read', arguments: { id: 'doc_1' } },
        },
      ],
    })

    const { text } = await chat([user('hello')], {
      stream: true,
      stream_options: { include_usage: true },
    })

    const chunks = dataOf(text)
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(chunks.flatMap((it) => it.choices[0]?.delta.content ?? []).join('')).toBe(
      'Naïve 🙂 words of some length',
    )
    expect(
      chunks
        .flatMap((it) => it.choices[0]?.delta.tool_calls?.[0].function.arguments ?? [])
        .join(''),
    ).toBe('{"id":"doc_1"}')
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { total_tokens: expect.any(Number) },
    })
  })

  it('streams a response whose events add up to the whole', async () => {
    const { respond } = scripted({
      replies: [{ say: 'Some words, then', call: { name: 'read', arguments: { id: 'doc_1' } } }],
    })

    const { text } = await respond('hello', { stream: true })

    const events = dataOf(text)
    const pieces = (type: string) =>
      events.flatMap((it) => (it.type === type ? it.delta : [])).join('')
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual([...events.keys()])
    expect(pieces('response.output_text.delta')).toBe('Some words, then')
    expect(pieces('response.function_call_arguments.delta')).toBe('{"id":"doc_1"}')
    expect(events.at(-1)?.response).toMatchObject({
      status: 'completed',
      output: [
        { type: 'message', content: [{ text: 'Some words, then' }] },
        { type: 'function_call', name: 'read', arguments: '{"id":"doc_1"}' },
      ],
    })
  })

  it('continues from the id of its response, and from the items of it', async () => {
    const { respond } = scripted({
      replies: [{ call: { name: 'read' } }, { say: 'Read.' }, { say: 'Again.' }],
    })
    const first = (await respond('read it')).json()
    const [{ id, call_id }] = first.output
    const output = { type: 'function_call_output', call_id, output: 'Q4' }

    const second = (await respond([output], { previous_response_id: first.id })).json()
    const third = (await respond([user('read it'), { type: 'item_reference', id }, output])).json()

    expect([second, third].map((it) => it.output[0].content[0].text)).toEqual(['Read.', 'Read.'])
  })

  it('lists its models, and returns one', async () => {
    const { get } = scripted({ models: ['small', 'large'], replies: [{ say: 'hello' }] })

    expect((await get('/models')).body.data.map(({ id }: Any) => id)).toEqual(['small', 'large'])
    expect((await get('/models/small')).body).toMatchObject({ id: 'small', object: 'model' })
    expect((await get('/models/none')).status).toBe(404)
  })

  it('finds its tenant by the API key alone', async () => {
    const { tenant } = scripted()

    const response = await harness.fetch(`${harness.issuer}/_harness/llm/v1/models`, {
      headers: { authorization: `Bearer ${tenant.model.api_key}` },
    })

    expect(response.status).toBe(200)
  })

  it('keeps its API key on a reset, which restores the seeded script', async () => {
    const { chat, control } = scripted({ replies: [{ say: 'As seeded.' }] })
    await control('PUT', '/model', { replies: [{ say: 'As told since.' }] })
    const before = (await chat([user('hello')])).json()

    await control('POST', '/reset')

    const after = (await chat([user('hello')])).json()
    expect([before, after].map((it) => it.choices[0].message.content)).toEqual([
      'As told since.',
      'As seeded.',
    ])
  })
})

describe('the recorded conversations', () => {
  it('list turns, tools, ignored parameters, the reply or the error', async () => {
    const { chat, control } = scripted({ replies: [{ say: 'Hello.' }] })
    await chat([user('hello')], { temperature: 0, ...offering('read') })
    await chat([user('hello'), { role: 'assistant', content: 'Hello.' }, user('more')])

    const { body } = await control('GET', '/conversations')

    const [first, second] = (body as ModelConversations).conversations
    expect(first).toMatchObject({
      seq: 1,
      api: 'chat',
      turns: [{ role: 'user', text: 'hello' }],
      tools: ['read'],
      ignored: ['temperature'],
      reply: { role: 'assistant', text: 'Hello.' },
      leaks: [],
    })
    expect(second).toMatchObject({ seq: 2, error: expect.stringContaining('"more"') })
    expect(second).not.toHaveProperty('reply')
  })

  it('report every token and secret the model received, masked', async () => {
    const { chat, control, tenant } = scripted({ replies: [{ say: 'Hello.' }] })
    const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln'
    const [{ client_secret } = { client_secret: '' }] = tenant.agents
    await chat([user('hello'), tool(`{"token":"${jwt}"}`), user(`secret: ${client_secret}`)])

    const { body } = await control('GET', '/conversations')

    expect(body.conversations[0].leaks).toEqual([
      { turn: 1, kind: 'jwt' },
      { turn: 2, kind: 'client_secret' },
    ])
    expect(JSON.stringify(body)).not.toContain(jwt)
    expect(JSON.stringify(body)).not.toContain(client_secret)
  })
})

const called = (name: string, args: object) => ({
  id: 'call_1',
  type: 'function',
  function: { name, arguments: JSON.stringify(args) },
})

// biome-ignore lint/suspicious/noExplicitAny: whatever it holds is looked at by name
type Any = any

const dataOf = (text: string): Any[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)))
