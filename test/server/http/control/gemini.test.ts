import { describe, expect, it } from 'vitest'
import { createHarness, type LogLine } from '../../../../server/index.ts'
import { type Seed, serve } from '../../../support/signed-in.ts'

const lines: LogLine[] = []
const harness = await createHarness({
  listen: false,
  algorithm: 'ES256',
  log: (line) => lines.push(line),
})
const server = await serve(harness)

type Script = Seed['model']

/** A tenant whose model follows this script, and functions that send requests in Gemini's form. */
const scripted = (model?: Script) => {
  const { tenant, control } = server.tenant(model ? { model } : {})
  const { gemini_base_url: base, api_key: key } = tenant.model
  const request = server.requests(`${base}/v1beta/models`)
  const withKey = server.requests(`${base}/v1beta/models`, { 'x-goog-api-key': key })
  const generate = (contents: unknown, more: object = {}) =>
    withKey.post('/gemini-2.0-flash:generateContent').send({ contents, ...more })
  return {
    tenant,
    control,
    key,
    /** Without credentials. */
    request,
    withKey,
    generate,
    /** The parts of the answer. */
    partsOf: async (contents: unknown, more: object = {}) =>
      (await generate(contents, more).expect(200)).body.candidates[0].content.parts,
    conversations: async () => (await control.get('/conversations')).body.conversations,
  }
}

const user = (...parts: object[]) => ({ role: 'user', parts })
const model = (...parts: object[]) => ({ role: 'model', parts })
const text = (text: string) => ({ text })
const called = (name: string, args: object = {}) => ({ functionCall: { name, args } })
const result = (name: string, response: object) => ({ functionResponse: { name, response } })
const hi = [user(text('hi'))]

/** In Gemini's form: types in upper case, limits as texts. */
const parameters = {
  type: 'OBJECT',
  properties: {
    id: { type: 'STRING' },
    depths: { type: 'ARRAY', min_items: '2', items: { type: 'INTEGER' } },
    unit: { anyOf: [{ type: 'NUMBER' }] },
  },
  required: ['id', 'depths', 'unit'],
}
const lookUp = { tools: [{ functionDeclarations: [{ name: 'look_up', parameters }] }] }
const two = { tools: [{ functionDeclarations: [{ name: 'look_up' }, { name: 'cancel' }] }] }
const calling = (config: object) => ({ ...two, toolConfig: { functionCallingConfig: config } })

describe('Gemini’s API of the scripted model rejects', () => {
  it.each([
    ['no API key', {}],
    ['an unknown API key', { 'x-goog-api-key': 'sk-none' }],
    ['another tenant’s API key', { 'x-goog-api-key': scripted().key }],
  ])('%s with UNAUTHENTICATED', async (_says, headers) => {
    const { request } = scripted()

    const { status, body } = await request
      .post('/gemini-2.0-flash:generateContent')
      .set(headers)
      .send({ contents: hi })

    expect(status).toBe(401)
    expect(body.error).toMatchObject({
      code: 401,
      status: 'UNAUTHENTICATED',
      message: expect.stringContaining('expected the API key of a tenant'),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'INVALID_API_KEY',
          domain: 'lumoauth-harness',
        },
      ],
    })
  })

  it.each([
    [{}, 'contents'],
    [{ contents: [] }, 'contents'],
    [{ contents: [{ role: 'assistant', parts: [text('hi')] }] }, 'contents.0.role'],
    [{ contents: hi, toolConfig: { functionCallingConfig: { mode: 'any' } } }, 'toolConfig'],
    [{ contents: [user({ function_call: {} })] }, 'contents.0.parts.0.functionCall.name'],
  ])('%j with INVALID_ARGUMENT and the place', async (body, place) => {
    const { withKey } = scripted()

    const answer = await withKey.post('/any:generateContent').send(body)

    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' })
    expect(answer.body.error.message).toContain(`body: ${place}`)
  })

  it('functions that the request does not declare', async () => {
    const { generate } = scripted()

    const unknown = await generate(hi, calling({ mode: 'ANY', allowedFunctionNames: ['pay'] }))
    const none = await generate(hi, { toolConfig: { functionCallingConfig: { mode: 'ANY' } } })

    expect([unknown, none].map(({ body }) => body.error.message)).toEqual([
      'toolConfig.functionCallingConfig: expected a tool of the request (look_up, cancel), received "pay"',
      'toolConfig.functionCallingConfig: expected tools in the request, received none',
    ])
  })

  it('an unknown model with NOT_FOUND', async () => {
    const { generate } = scripted({ models: ['gemini-3'], replies: [{ say: 'Hi.' }] })

    const { status, body } = await generate(hi)

    expect(status).toBe(404)
    expect(body.error).toMatchObject({
      status: 'NOT_FOUND',
      message: expect.stringContaining('unknown model: gemini-2.0-flash; expected gemini-3'),
      details: [{ reason: 'MODEL_NOT_FOUND' }],
    })
  })

  it('a conversation without a scripted reply, in a stream too, and records it', async () => {
    const { generate, withKey, conversations } = scripted({
      replies: [{ when: { offers: 'read' }, say: 'Hi.' }],
    })

    const { body } = await generate(hi)
    const stream = await withKey.post('/any:streamGenerateContent?alt=sse').send({ contents: hi })

    expect(body.error).toMatchObject({
      status: 'INVALID_ARGUMENT',
      message: expect.stringContaining('Last message: user, "hi"'),
      details: [{ reason: 'NO_SCRIPTED_REPLY' }],
    })
    expect([stream.status, stream.body.error.code]).toEqual([400, 400])
    expect(await conversations()).toMatchObject([
      { error: expect.stringContaining('no reply') },
      { error: expect.stringContaining('no reply') },
    ])
  })

  it('other methods and verbs', async () => {
    const { withKey } = scripted()

    const verb = await withKey.post('/gemini-2.0-flash:countTokens').send({ contents: hi })
    const method = await withKey.get('/gemini-2.0-flash:generateContent')

    expect(verb.status).toBe(404)
    expect([method.status, method.headers.allow]).toEqual([405, 'POST'])
  })
})

describe('Gemini’s API of the scripted model', () => {
  it.each(['header', 'query', 'bearer'])('accepts the API key in a %s', async (place) => {
    const { request, key } = scripted()
    const path = `/any:generateContent${place === 'query' ? `?key=${key}` : ''}`
    const headers = {
      header: { 'x-goog-api-key': key },
      bearer: { authorization: `Bearer ${key}` },
    }

    const { status } = await request
      .post(path)
      .set(headers[place as keyof typeof headers] ?? {})
      .send({ contents: hi })

    expect(status).toBe(200)
  })

  it('answers in the version v1 too', async () => {
    const { tenant, key } = scripted()

    await server
      .requests(tenant.model.gemini_base_url, { 'x-goog-api-key': key })
      .post('/v1/models/gemini-3:generateContent')
      .send({ contents: hi })
      .expect(200, /You said: hi/)
  })

  it.each(['header', 'query'])('finds its tenant by the API key in a %s alone', async (place) => {
    const { key, conversations } = scripted()
    const url = `${harness.issuer}/_harness/llm/v1beta/models/any:generateContent`

    await server
      .requests()
      .post(place === 'query' ? `${url}?key=${key}` : url)
      .set(place === 'header' ? { 'x-goog-api-key': key } : {})
      .send({ contents: hi })
      .expect(200)

    expect(await conversations()).toHaveLength(1)
  })

  it('does not log the API key', async () => {
    const { request, key } = scripted()
    const before = lines.length

    await request.post(`/any:generateContent?alt=json&key=${key}`).send({ contents: hi })
    await request.post(`/any:countTokens?%6bey=${key}`).set('x-goog-api-key', key)

    const added = lines.slice(before)
    expect(added.map(({ path }) => path.split('?')[1])).toEqual(['alt=json&key=***', 'key=***'])
    expect(JSON.stringify(added)).not.toContain(key)
  })

  it('answers in Gemini’s form', async () => {
    const { generate } = scripted()

    const { body } = await generate(hi)

    const { totalTokenCount, ...counts } = body.usageMetadata
    expect(body).toEqual({
      candidates: [
        {
          content: { role: 'model', parts: [{ text: 'You said: hi' }] },
          finishReason: 'STOP',
          index: 0,
        },
      ],
      usageMetadata: expect.anything(),
      modelVersion: 'gemini-2.0-flash',
      responseId: expect.stringMatching(/^resp_\d+$/),
    })
    expect(totalTokenCount).toBe(counts.promptTokenCount + counts.candidatesTokenCount)
  })

  it('calls the first declared function by its schema, and answers with the result', async () => {
    const { partsOf } = scripted()

    const [call] = await partsOf([user(text('Order 7?'))], lookUp)
    const answer = await partsOf(
      [user(text('Order 7?')), model(call), user(result('look_up', { result: 'shipped' }))],
      lookUp,
    )

    expect(call.functionCall).toEqual({
      id: expect.stringMatching(/^call_/),
      name: 'look_up',
      args: { id: 'Order 7?', depths: [1, 1], unit: 1 },
    })
    expect(answer).toEqual([{ text: 'The tool answered: {"result":"shipped"}' }])
  })

  it.each(['parametersJsonSchema', 'parameters_json_schema'])('reads %s', async (name) => {
    const { partsOf } = scripted()
    const schema = {
      type: 'object',
      properties: { day_count: { type: 'integer', minimum: 3 } },
      required: ['day_count'],
    }

    const [call] = await partsOf(hi, {
      tools: [{ function_declarations: [{ name: 'wait', [name]: schema }] }],
    })

    expect(call.functionCall.args).toEqual({ day_count: 3 })
  })

  it.each([
    [{ mode: 'NONE' }, undefined],
    [{ mode: 'AUTO' }, 'look_up'],
    [{ mode: 'MODE_UNSPECIFIED' }, 'look_up'],
    [{ mode: 'ANY', allowedFunctionNames: [] }, 'look_up'],
    [{ mode: 'ANY', allowedFunctionNames: ['cancel'] }, 'cancel'],
    [{ mode: 'VALIDATED', allowed_function_names: ['cancel'] }, 'cancel'],
  ])('respects the functionCallingConfig %j', async (config, expected) => {
    const { partsOf } = scripted()

    const [part] = await partsOf(hi, calling(config))

    expect(part.functionCall?.name).toBe(expected)
  })

  it('calls every function once before one again in mode ANY', async () => {
    const { partsOf } = scripted()
    const contents = [...hi, model(called('look_up')), user(result('look_up', {}))]

    const [part] = await partsOf(contents, calling({ mode: 'ANY' }))

    expect(part.functionCall.name).toBe('cancel')
  })

  const answerSchema = {
    type: 'OBJECT',
    properties: { answer: { type: 'STRING' }, sure: { type: 'BOOLEAN' } },
  }
  it.each([
    [{}, { answer: 'You said: hi' }],
    [{ responseSchema: answerSchema }, { answer: 'You said: hi', sure: true }],
    [{ response_schema: answerSchema }, { answer: 'You said: hi', sure: true }],
    [
      { responseJsonSchema: { type: 'object', properties: { total: { type: 'integer' } } } },
      { total: 1 },
    ],
  ])('answers with JSON in the form of %j', async (schema, expected) => {
    const { partsOf } = scripted()

    const [{ text }] = await partsOf(hi, {
      generationConfig: { responseMimeType: 'application/json', ...schema },
    })

    expect(JSON.parse(text)).toEqual(expected)
  })

  it('follows a script over functions, as in OpenAI’s API', async () => {
    const { partsOf } = scripted({
      replies: [
        { say: 'Both.', call: [{ name: 'read', arguments: { id: 'doc_1' } }, { name: 'list' }] },
        { when: { tool_result_contains: 'Q4' }, say: `It is \${tool_result.title}.` },
      ],
    })

    const parts = await partsOf(hi)
    const answer = await partsOf([
      ...hi,
      model(...parts),
      user(result('read', { result: '{"title":"Q4"}' }), result('list', {})),
    ])

    expect(parts).toMatchObject([
      { text: 'Both.' },
      { functionCall: { name: 'read', args: { id: 'doc_1' } } },
      { functionCall: { name: 'list', args: {} } },
    ])
    expect(answer).toEqual([{ text: 'It is Q4.' }])
  })

  it('streams chunks that add up to the whole, as events and as a list', async () => {
    const { withKey } = scripted({
      replies: [
        {
          say: 'Naïve 🙂 words of some length',
          call: { name: 'read', arguments: { id: 'doc_1' } },
        },
      ],
    })
    const stream = (query: string) =>
      withKey.post(`/any:streamGenerateContent${query}`).send({ contents: hi })

    const events = await stream('?alt=sse')
    const list = await stream('')

    const chunks = events.text
      .trim()
      .split('\n\n')
      .map((event) => JSON.parse(event.replace(/^data: /, '')))
    const parts = chunks.flatMap((it) => it.candidates[0].content.parts)
    expect(events.headers['content-type']).toMatch('text/event-stream')
    expect(parts.map(({ text = '' }) => text).join('')).toBe('Naïve 🙂 words of some length')
    expect(parts.at(-1)).toMatchObject({ functionCall: { name: 'read', args: { id: 'doc_1' } } })
    expect(parts.length).toBeGreaterThan(2)
    expect(chunks.map((it) => it.candidates[0].finishReason)).toEqual(
      chunks.map((_, at) => (at === chunks.length - 1 ? 'STOP' : undefined)),
    )
    expect(list.body).toHaveLength(chunks.length)
  })

  it('joins the chunks of a stream that the client sends back', async () => {
    const { partsOf } = scripted({ replies: [{ say: 'One two.' }, { say: 'Three.' }] })

    const [{ text: next }] = await partsOf([
      ...hi,
      model(text('One ')),
      model({ text: 'Hm.', thought: true }, text('two.')),
      user(text('go on')),
    ])

    expect(next).toBe('Three.')
  })

  it('records the conversation, what was ignored, and leaks', async () => {
    const { generate, tenant, conversations } = scripted()
    const secret = tenant.agents[0]?.client_secret ?? ''

    await generate(
      [
        { parts: [text('one'), text('two')] },
        model(called('read', { id: 1 }), called('read', { id: 2 })),
        user(result('read', { title: secret }), result('read', {}), text('and?')),
        { role: 'user', parts: [{ inline_data: { mime_type: 'image/png', data: '' } }] },
      ],
      {
        system_instruction: { parts: [text('Be brief.')] },
        generation_config: { temperature: 0, response_mime_type: 'text/plain' },
        safetySettings: [],
        ...two,
      },
    )

    const [conversation] = await conversations()
    expect(conversation).toMatchObject({
      api: 'gemini',
      model: 'gemini-2.0-flash',
      stream: false,
      tools: ['look_up', 'cancel'],
      ignored: ['generationConfig.temperature', 'safetySettings'],
      turns: [
        { role: 'system', text: 'Be brief.' },
        { role: 'user', text: 'one\ntwo' },
        {
          role: 'assistant',
          text: '',
          calls: [
            { id: 'call_1', name: 'read', arguments: { id: 1 } },
            { id: 'call_2', name: 'read', arguments: { id: 2 } },
          ],
        },
        { role: 'tool', text: expect.not.stringContaining(secret), call_id: 'call_1' },
        { role: 'tool', text: '{}', call_id: 'call_2' },
        { role: 'user', text: 'and?' },
        { role: 'user', text: '' },
      ],
      leaks: [{ turn: 3, kind: 'client_secret' }],
    })
  })

  it('keeps the ids that the client gives to calls and results', async () => {
    const { generate, conversations } = scripted()

    await generate([
      ...hi,
      model({ function_call: { id: 'c7', name: 'read', args: { user_id: 7 } } }),
      { role: 'function', parts: [{ function_response: { id: 'c7', name: 'read' } }] },
    ])

    const [{ turns }] = await conversations()
    expect(turns.slice(1)).toEqual([
      {
        role: 'assistant',
        text: '',
        calls: [{ id: 'c7', name: 'read', arguments: { user_id: 7 } }],
      },
      { role: 'tool', text: '{}', call_id: 'c7' },
    ])
  })
})
