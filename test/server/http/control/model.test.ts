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

/** A tenant whose model follows this script, and how to ask it. */
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

/** The placeholder for what a tool answered. */
const result = (path = '') => `\${tool_result${path}}`

const user = (content: string) => ({ role: 'user', content })
const tool = (content: string, tool_call_id = 'call_1') => ({ role: 'tool', tool_call_id, content })
const offering = (...names: string[]) => ({
  tools: names.map((name) => ({ type: 'function', function: { name, parameters: {} } })),
})

describe('a model without a script of its own', () => {
  const parameters = {
    type: 'object',
    properties: { id: { type: 'string' }, depth: { type: 'integer', minimum: 2 }, more: {} },
    required: ['id', 'depth'],
  }
  const lookUp = { tools: [{ type: 'function', function: { name: 'look_up', parameters } }] }

  it('answers to any name, and records the one that was asked for', async () => {
    const { chat, control, get } = scripted()

    const { status, json } = await chat([user('hi')], { model: 'gpt-5.6-luna' })

    expect(status).toBe(200)
    expect(json().model).toBe('gpt-5.6-luna')
    expect((await get('/models/gpt-5.6-luna')).status).toBe(200)
    const { body } = await control('GET', '/conversations')
    expect(body.conversations.at(-1).model).toBe('gpt-5.6-luna')
  })

  it('calls the first tool it is offered, as its schema asks, and answers with the result', async () => {
    const { chat } = scripted()

    const first = (await chat([user('Order 7?')], lookUp)).json().choices[0].message
    const [call] = first.tool_calls
    const second = await chat([user('Order 7?'), first, tool('shipped', call.id)], lookUp)

    expect(call.function.name).toBe('look_up')
    expect(JSON.parse(call.function.arguments)).toEqual({ id: 'Order 7?', depth: 2 })
    expect(second.json().choices[0].message.content).toBe('The tool answered: shipped')
  })
})

describe('a request the scripted model refuses', () => {
  it('comes with a key that is not of this tenant', async () => {
    const { chat } = scripted()
    const other = scripted().tenant.model.api_key

    const { status, json } = await chat([user('hello')], {}, other)

    expect(status).toBe(401)
    expect(json().error).toMatchObject({ code: 'invalid_api_key', type: 'invalid_request_error' })
  })

  it('names a model the script does not know', async () => {
    const { chat } = scripted({ models: ['small'], replies: [{ say: 'hello' }] })

    const { status, json } = await chat([user('hello')], { model: 'large' })

    expect(status).toBe(404)
    expect(json().error).toMatchObject({
      code: 'model_not_found',
      param: 'model',
      message: 'there is no model large; expected small',
    })
  })

  it('was not foreseen: it quotes the last message, and says why each reply does not fit', async () => {
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
        'the script has no reply to this conversation. Its last message, of the user: "and the revenue?". Replies: 1: already given; 2: tool_result_contains "Revenue" does not hold. Write one more under replies, such as - { when: { last_message_contains: "and the revenue?" }, say: "…" }',
    })
  })

  it('asks for a part of a tool result that is not there', async () => {
    const { chat } = scripted({
      replies: [{ say: `The title is ${result('.title')}` }],
    })

    const { json } = await chat([user('read'), tool('{"error":"denied"}')])

    expect(json().error.message).toBe(
      `reply 1 asks for ${result('.title')}, which is in no tool result. The newest, of the tool: "{\\"error\\":\\"denied\\"}". Give the reply a condition, such as when: { tool_result_contains: "…" }`,
    )
  })

  it('is larger than 4 MiB; a long conversation is not', async () => {
    const { chat } = scripted({ replies: [{ say: 'Fine.' }] })

    const long = await chat([user('x'.repeat(1024 * 1024))])
    const tooLong = await chat([user('x'.repeat(4 * 1024 * 1024))])

    expect([long.status, tooLong.status]).toEqual([200, 413])
    expect(tooLong.json().error).toMatchObject({ code: 'request_too_large' })
  })

  it('goes on from a response that never was', async () => {
    const { respond } = scripted()

    const { status, json } = await respond('go on', { previous_response_id: 'resp_1' })

    expect(status).toBe(400)
    expect(json().error.code).toBe('previous_response_not_found')
  })

  it('is a script with mistakes, told by file, line and column', async () => {
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
  it('gives its replies in order, each once in a conversation', async () => {
    const { chat } = scripted({ replies: [{ say: 'One.' }, { say: 'Two.' }] })

    const first = await chat([user('count')])
    const second = await chat([user('count'), { role: 'assistant', content: 'One.' }, user('on')])

    expect(first.json().choices[0].message.content).toBe('One.')
    expect(second.json().choices[0].message.content).toBe('Two.')
  })

  it('gives a reply again that may be repeated', async () => {
    const { chat } = scripted({ replies: [{ say: 'Hm.', repeat: true }] })

    const { json } = await chat([user('a'), { role: 'assistant', content: 'Hm.' }, user('b')])

    expect(json().choices[0].message.content).toBe('Hm.')
  })

  it('answers the same conversation the same, so that a retry changes nothing', async () => {
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
  ])('lets %j hold: %s', async (when, holds) => {
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

  it('does not take an old tool result for a new one', async () => {
    const { chat } = scripted({
      replies: [{ when: { tool_result_contains: 'Q4' }, say: 'new' }, { say: 'old' }],
    })

    const { json } = await chat([tool('Q4'), { role: 'assistant', content: 'I see.' }, user('go')])

    expect(json().choices[0].message.content).toBe('old')
  })

  it('fills in what a tool answered, also where a framework has wrapped it', async () => {
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

  it('fills in from the newest result that has the part', async () => {
    const { chat } = scripted({ replies: [{ say: result('.title') }] })

    const { json } = await chat([
      tool('{"title":"Q3"}'),
      tool('{"title":"Q4"}', 'call_2'),
      tool('{"summary":"Fine."}', 'call_3'),
    ])

    expect(json().choices[0].message.content).toBe('Q4')
  })

  it('tells all that tools have answered at once', async () => {
    const { chat } = scripted({ replies: [{ say: `They say: ${result()}` }] })

    const { json } = await chat([
      tool('old'),
      { role: 'assistant', content: 'I see.' },
      tool('denied', 'call_2'),
      tool('not found', 'call_3'),
    ])

    expect(json().choices[0].message.content).toBe('They say: denied\nnot found')
  })

  it('recognises its own turn, whatever was filled in', async () => {
    const { chat } = scripted({ replies: [{ say: `It says: ${result()}!` }, { say: 'Done.' }] })

    const { json } = await chat([
      tool('Q4'),
      { role: 'assistant', content: 'It says: Q4!' },
      user('go on'),
    ])

    expect(json().choices[0].message.content).toBe('Done.')
  })

  it('asks for several tools at once', async () => {
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

  it('counts tokens so that more text is more of them', async () => {
    const { chat } = scripted({ replies: [{ say: 'Fine.' }] })

    const short = (await chat([user('hello')])).json().usage
    const long = (await chat([user('hello '.repeat(100))])).json().usage

    expect(short.total_tokens).toBe(short.prompt_tokens + short.completion_tokens)
    expect(long.prompt_tokens).toBeGreaterThan(short.prompt_tokens + 100)
    expect(long.completion_tokens).toBe(short.completion_tokens)
  })

  it('streams a chat completion in pieces that make the whole', async () => {
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

  it('streams a response whose pieces make the whole', async () => {
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

  it('goes on from a response it gave, and from items of it', async () => {
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

  it('lists its models, and reads one', async () => {
    const { get } = scripted({ models: ['small', 'large'], replies: [{ say: 'hello' }] })

    expect((await get('/models')).body.data.map(({ id }: Any) => id)).toEqual(['small', 'large'])
    expect((await get('/models/small')).body).toMatchObject({ id: 'small', object: 'model' })
    expect((await get('/models/none')).status).toBe(404)
  })

  it('is found by its key alone', async () => {
    const { tenant } = scripted()

    const response = await harness.fetch(`${harness.issuer}/_harness/llm/v1/models`, {
      headers: { authorization: `Bearer ${tenant.model.api_key}` },
    })

    expect(response.status).toBe(200)
  })

  it('keeps its key when the tenant is reset, and forgets a script it was given since', async () => {
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

describe('what the model was told', () => {
  it('is recorded, with what made no difference, and with what was not foreseen', async () => {
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

  it('shows every token and secret that reached it, masked', async () => {
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
