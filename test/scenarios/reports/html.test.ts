import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { diagram } from '../../../scenarios/reports/diagram.ts'
import { github } from '../../../scenarios/reports/github.ts'
import { exchangeOf } from '../../../scenarios/reports/html/exchange.ts'
import { html } from '../../../scenarios/reports/html.ts'
import { lineageOf } from '../../../scenarios/reports/lineage.ts'
import { transcript } from '../../../scenarios/reports/transcript.ts'
import { type Exchange, exchange } from '../../../scenarios/runner/exchange.ts'
import { redactorOf } from '../../../scenarios/runner/redact.ts'
import { run } from '../../../scenarios/runner/run.ts'
import { mock } from '../../../scenarios/targets/mock/mock.ts'
import { createHarness } from '../../../server/index.ts'
import { scenarioOf } from '../support.ts'

const scenario = scenarioOf(
  `scenario: A <b>bold</b> claim & more
covers: [THR-22]
given: { policy: { rules: [{ name: payments, when: { type: payment }, risk: high, decision: ask }, { name: others, risk: low, decision: approve }] } }
steps:
  - open_task: { name: "<script>alert(1)</script>" }
  - request_permission: { details: { type: file_access, actions: [read], identifier: doc_9982 }, justification: "\\u202Egnp.exe <img src=x onerror=alert(1)>" }
  - get_token: {}
  - call: GET /v1/documents/doc_9982
    with: jit
  - complete_task: {}
  - call: GET /v1/documents/doc_9982
    with: jit
    expect: { status: 200 }
`,
)
const target = await mock('fetch')
const done = await run([scenario], target, { seed: 1, policies: true })
await target.close()
const [result] = done.results
if (result === undefined) throw new Error('expected a result')

describe('the HTML report', () => {
  const page = html([done], {
    rules: [
      { id: 'THR-22', says: 'It is text.', source: 'x', seat: 'any', level: 'HOUSE' },
      { id: 'THR-23', says: 'It is not shown.', source: 'x', seat: 'any', level: 'HOUSE' },
    ],
  })

  it('contains no foreign markup', () => {
    expect(page).not.toMatch(/<script>alert|<img|<b>bold|\u202e/)
    expect(page).toContain('A &#60;b&#62;bold&#60;/b&#62; claim &#38; more')
  })

  it('loads nothing, and allows its own style and script by their hashes only', () => {
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
    const [, script = ''] = /<script>([\s\S]*?)<\/script>/.exec(page) ?? []
    const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

    expect(page).toContain(
      `content="default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'"`,
    )
    expect(page).not.toMatch(/<[^>]*\s(?:src|style|on\w+)=|url\(|@import|<link/)
  })

  it('shows line, difference and exchange of a failure', () => {
    expect(page).toContain('1 of 1 scenarios failed')
    expect(page).toContain('suite/theme/one.yaml:13:23')
    expect(page).toContain('<td class="mono wide want">200</td><td class="mono wide got">401</td>')
    expect(page).toMatch(/class="exchange refused culprit" id="s1x\d+"/)
  })

  it('shows covered rules, and policy rules that decided nothing', () => {
    expect(page).toContain('1 of 2 rules shown by this run')
    expect(page).toMatch(/payments<\/td><td><a href="#s1">/)
  })
})

describe('the lineage of tokens', () => {
  it('leads from the agent’s own token to the JIT token, its uses and its end', () => {
    const [own] = lineageOf(result)
    const [jit] = own?.children ?? []
    const routeOf = (index: number | undefined) => result.exchanges[index ?? -1]?.route

    expect(own?.token.name).toBe('‹agent token 1›')
    expect(jit?.token.name).toBe('‹jit token 1›')
    expect(routeOf(jit?.from)).toBe('jit.request.token')
    expect(jit?.uses.map(routeOf)).toEqual(['documents.read', 'documents.read'])
    expect(routeOf(jit?.end?.exchange)).toBe('jit.task.complete')
    expect(jit?.end?.how).toBe('its task was completed')
  })
})

/** Exchanges of an agent under test, which reaches issuer and model at one origin. */
const withModel = async () => {
  await using harness = await createHarness({ listen: false })
  const { model, urls, agents } = harness.createTenant()
  const [{ client_id, client_secret } = { client_id: '', client_secret: '' }] = agents
  const headers = { authorization: `Bearer ${model.api_key}`, 'content-type': 'application/json' }
  const tools = [{ type: 'function', function: { name: 'fetch_sensitive_document' } }]
  const messages = [{ role: 'user', content: 'What does doc_9982 say?' }]
  const chat = (more: object) =>
    new Request(`${model.base_url}/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model: 'scripted', messages, tools, ...more }),
    })
  const gemini = (query: string) =>
    new Request(`${model.gemini_base_url}/v1beta/models/any:streamGenerateContent${query}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(query.includes('key') ? {} : { 'x-goog-api-key': model.api_key }),
      },
      body: JSON.stringify({
        contents: [{ parts: [{ text: 'What does doc_9982 say?' }] }],
        tools: [{ functionDeclarations: [{ name: 'fetch_sensitive_document' }] }],
      }),
    })
  const requests = [
    new Request(`${urls.tenant}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret }),
    }),
    chat({}),
    chat({ stream: true }),
    ...['?alt=sse', `?key=${model.api_key}`].map(gemini),
    new Request(`${model.base_url}/models`, { headers }),
  ]
  const exchanges: Exchange[] = []
  for (const request of requests) {
    exchanges.push((await exchange('issuer', '1', request, harness.fetch)).exchange)
  }
  const { redact } = redactorOf([], exchanges)
  return { exchanges: redact(exchanges), key: model.api_key }
}

const wordsOf = (svg: string, kind: string) =>
  [...svg.matchAll(new RegExp(`<text class="${kind}"[^>]*>([^<]*)`, 'g'))].map(([, it]) => it)

describe('the sequence diagram', () => {
  it('has a lane for each participant, and a link for each exchange', () => {
    const text = diagram(result, (index) => `x${index}`)?.text ?? ''

    expect(
      text.match(/<text class="head"[^>]*>[^<]*/g)?.map((it) => it.replace(/.*>/, '')),
    ).toEqual(['Agent', 'Issuer', 'API'])
    expect(text.match(/href="#x\d+"/g)).toHaveLength(result.exchanges.length)
  })

  it('shows requests of an agent to its model, on any origin', async () => {
    const { exchanges } = await withModel()

    const text = diagram({ exchanges, failures: [] }, (index) => `x${index}`)?.text ?? ''

    expect(wordsOf(text, 'head')).toEqual(['Model', 'Agent', 'Issuer'])
    expect(wordsOf(text, 'ask')).toEqual([
      'POST /oauth/token',
      'ask the model',
      'ask the model',
      'ask the model',
      'ask the model',
      'ask which models there are',
    ])
    expect(wordsOf(text, 'say')).toEqual([
      '200 ‹agent token 1›',
      '200 fetch_sensitive_document',
      '200 fetch_sensitive_document',
      '200 fetch_sensitive_document',
      '200 fetch_sensitive_document',
      '200',
    ])
    expect(text).not.toContain('_harness')
  })

  it('names the model in each exchange with it', async () => {
    const { exchanges } = await withModel()

    const rows = exchanges.map((it, index) => exchangeOf(it, `x${index}`, false).text)

    const seats = rows.map((row) => /<i>(\w+)<\/i><\/summary>/.exec(row)?.[1])
    expect(seats).toEqual(['issuer', ...Array(5).fill('model')])
  })

  it('does not show the API key of the model, in a header or in a URL', async () => {
    const { exchanges, key } = await withModel()

    const rows = exchanges.map((it, index) => exchangeOf(it, `x${index}`, false).text)

    expect(rows.join()).toContain('?key=‹token 1›')
    expect(rows.join()).not.toContain(key)
  })

  it('is absent without exchanges', () => {
    expect(diagram({ exchanges: [], failures: [] }, String)).toBeUndefined()
  })
})

describe('annotations for GitHub', () => {
  it('are one line each, at the position of the failure', () => {
    const text = github([done])

    expect(text.split('\n')).toHaveLength(2)
    expect(text).toMatch(
      /^::error file=suite\/theme\/one.yaml,line=13,col=23,title=A <b>bold<\/b> claim & more \(fetch\)::suite\/theme\/one.yaml:13:23: does not match.*%0A/,
    )
  })
})

describe('the transcript', () => {
  it('is equal for equal seeds, byte for byte', async () => {
    const again = await mock('fetch')
    const other = await run([scenario], again, { seed: 1 })
    await again.close()

    expect(transcript([other])).toBe(transcript([done]))
  })
})
