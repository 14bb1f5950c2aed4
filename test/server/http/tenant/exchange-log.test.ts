import { describe, expect, it } from 'vitest'
import { ExchangeLog } from '../../../../server/http/tenant/exchange-log.ts'
import { ConversationLog } from '../../../../server/model/conversations.ts'
import { hashSecret } from '../../../../server/signing/secrets.ts'

const exchange = (body: string) => ({
  at: 0,
  seat: 'issuer' as const,
  route: 'jit.task.create' as const,
  request: { method: 'POST', path: '/', query: new URLSearchParams(), headers: {}, body },
  answer: { status: 204 },
  meanwhile: [0, 0] as const,
})

const conversation = (seq: number, text: string) => ({
  seq,
  at: 0,
  api: 'chat' as const,
  model: 'scripted',
  stream: false,
  turns: [{ role: 'user' as const, text }],
  tools: [],
  ignored: [],
  described: '',
  usage: { input: 0, output: 0 },
})

describe('the exchanges of a tenant', () => {
  it('are dropped from the oldest on, above a number', () => {
    const log = new ExchangeLog({ exchanges: 3 })
    for (let count = 0; count < 100; count += 1) log.record(exchange('{}'))

    expect(log.last).toBe(100)
    expect(log.after(0).length).toBeLessThan(6)
    expect(log.after(0)[0]?.seq).toBe(log.forgotten + 1)
  })

  it('are dropped from the oldest on, above a number of bytes', () => {
    const log = new ExchangeLog({ bytes: 20_000 })
    for (let count = 0; count < 100; count += 1) log.record(exchange('x'.repeat(1000)))

    const kept = log.after(0)
    expect(log.last).toBe(100)
    expect(kept.length).toBeLessThan(11)
    expect(kept.at(-1)?.seq).toBe(100)
    log.clear()
    for (let count = 0; count < 10; count += 1) log.record(exchange('x'.repeat(1000)))
    expect(log.after(0)).toHaveLength(10)
  })
})

describe('the responses in recorded exchanges', () => {
  const answered = (body: unknown) => ({ ...exchange('{}'), answer: { status: 200, body } })

  it('count like the requests', () => {
    const log = new ExchangeLog({ bytes: 20_000 })
    for (let count = 0; count < 100; count += 1) log.record(answered({ list: ['x'.repeat(1000)] }))

    expect(log.last).toBe(100)
    expect(log.after(0).length).toBeLessThan(14)
  })

  it('are truncated above a size, with the number of missing characters', () => {
    const log = new ExchangeLog({ bodyBytes: 100 })
    log.record(answered({ list: ['x'.repeat(1000)] }))

    const [kept] = log.after(0)

    expect(kept?.answer.body).toMatch(/^\{"list":\["x{90}… \(\d+ characters more\)$/)
    expect(kept?.answer.headers['content-type']).toContain('application/json')
    expect(kept?.violations).toContain(
      'task_id: Invalid input: expected string, received undefined',
    )
  })

  it('come in pages', async () => {
    const log = new ExchangeLog()
    for (let count = 0; count < 100; count += 1) log.record(answered('x'.repeat(32 * 1024)))
    const sizes = []
    let [next, more] = [0, true]
    while (more) {
      const page = log.pageAfter(next)
      sizes.push(page.exchanges.length)
      expect(page.exchanges[0]?.seq).toBe(next + 1)
      ;[next, more] = [page.next, page.more === true]
    }

    expect(next).toBe(100)
    expect(Math.max(...sizes)).toBeLessThan(17)
    expect(await log.all()).toEqual(log.after(0))
  })
})

describe('the conversations of a tenant', () => {
  it('are dropped from the oldest on, above a number or a size', async () => {
    const many = new ConversationLog()
    for (let seq = 1; seq <= 600; seq += 1) many.record(conversation(seq, 'hello'))
    const long = new ConversationLog(11_000)
    for (let seq = 1; seq <= 50; seq += 1) long.record(conversation(seq, 'x'.repeat(1000)))

    const page = async (log: ConversationLog) => (await log.pageAfter(0, new Set())).conversations
    expect(await page(many)).toHaveLength(500)
    expect((await page(long)).map(({ seq }) => seq)).toEqual([42, 43, 44, 45, 46, 47, 48, 49, 50])
    expect([long.last, long.forgotten]).toEqual([50, 41])
  })

  it('report every leak in a long text, and mask it', async () => {
    const secret = 's3cret-of-the-agent'
    const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln'
    const log = new ConversationLog()
    log.record(conversation(1, `${'many words '.repeat(20_000)}${secret} ${jwt} `.repeat(3)))

    const { conversations } = await log.pageAfter(0, new Set([hashSecret(secret)]))

    expect(conversations[0]?.leaks.map(({ kind }) => kind).sort()).toEqual([
      ...['client_secret', 'client_secret', 'client_secret', 'jwt', 'jwt', 'jwt'],
    ])
    expect(JSON.stringify(conversations)).not.toMatch(/s3cret|eyJ/)
  })

  it('come in pages', async () => {
    const log = new ConversationLog()
    for (let seq = 1; seq <= 3; seq += 1) log.record(conversation(seq, 'x '.repeat(200_000)))

    const first = await log.pageAfter(0, new Set())
    const last = await log.pageAfter(2, new Set())

    expect(first).toMatchObject({ conversations: [{ seq: 1 }], next: 1, more: true })
    expect([last.conversations.length, last.next, last.more]).toEqual([1, 3, undefined])
  })
})
