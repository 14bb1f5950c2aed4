import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
// @ts-expect-error a module of the page, which is plain JavaScript
import { stepsOf } from '../../../server/console/page/steps.js'
// @ts-expect-error a module of the page, which is plain JavaScript
import { readDuration } from '../../../server/console/page/time.js'
// @ts-expect-error a module of the page, which is plain JavaScript
import { isFound, urgentFirst } from '../../../server/console/page/urgency.js'
// @ts-expect-error a module of the page, which is plain JavaScript
import { segmentsOf } from '../../../server/console/page/visible.js'

type Segment = { text?: string; code?: string }

const shown = (text: string, options?: object): string =>
  segmentsOf(text, options)
    .map((it: Segment) => it.text ?? `⟨${it.code}⟩`)
    .join('')

describe('a text that somebody else wrote', () => {
  it.each([
    ['an order turned round', 'doc_\u202e2899', 'doc_⟨U+202E⟩2899'],
    ['an isolate', 'a\u2067b\u2069c', 'a⟨U+2067⟩b⟨U+2069⟩c'],
    ['a zero-width space', 'doc\u200b_1', 'doc⟨U+200B⟩_1'],
    ['a soft hyphen', 'pay\u00adpal', 'pay⟨U+00AD⟩pal'],
    ['a byte order mark', '\ufeffdoc', '⟨U+FEFF⟩doc'],
    ['a terminal escape', '\u001b[2J', '⟨U+001B⟩[2J'],
    ['a tag character', 'a\u{e0041}', 'a⟨U+E0041⟩'],
    ['an empty letter', 'a\u3164', 'a⟨U+3164⟩'],
    ['half a pair', 'a\ud800', 'a⟨U+D800⟩'],
    ['a line in an identifier', 'a\nb', 'a⟨U+000A⟩b'],
    ['a space nobody sees at the end', 'doc_1 ', 'doc_1⟨U+0020⟩'],
    ['a space that is none', 'a\u00a0b', 'a⟨U+00A0⟩b'],
  ])('shows %s', (_, text, expected) => {
    expect(shown(text)).toBe(expected)
  })

  it.each([
    ['letters of any script', 'Grüße, 日本語, عربى, हिन्दी'],
    ['emoji, joined or not', '👍🏽 👩‍💻 ❤️ 👨‍👩‍👧'],
    ['words with spaces', 'a document with a name'],
  ])('leaves %s as they are', (_, text) => {
    expect(shown(text)).toBe(text)
  })

  it('keeps the lines of prose', () => {
    expect(shown('one\n\ttwo', { lines: true })).toBe('one\n\ttwo')
    expect(shown('one\r\u2028two', { lines: true })).toBe('one⟨U+000D⟩⟨U+2028⟩two')
  })

  it('loses nothing: what is shown tells what was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const back = segmentsOf(text)
          .map(
            ({ text, code }: Segment) =>
              text ?? String.fromCodePoint(Number.parseInt((code ?? '').slice(2), 16)),
          )
          .join('')
        expect(back).toBe(text)
      }),
    )
  }, 30_000)
})

describe('a duration that a person writes', () => {
  it.each([
    ['45', 45],
    ['90 min', 5400],
    ['2h', 7200],
    ['1 h 30 min', 5400],
    ['1.5 hours', 5400],
    ['PT15M', 900],
    ['pt1h30m', 5400],
    ['1 day', 86_400],
    ['5ms', undefined],
    ['2 moons', undefined],
    ['soon', undefined],
    ['-5 min', undefined],
    ['', undefined],
  ])('%s is %s', (text, seconds) => {
    expect(readDuration(text)).toBe(seconds)
  })
})

describe('the order of the inbox', () => {
  const request = (id: string, more: object = {}) => ({
    id,
    risk: 'high',
    expires_at: 500,
    requested_at: 100,
    agent: { name: 'bot' },
    task: { id: 't', name: null },
    detail: { type: 'payment', identifier: id },
    justification: null,
    on_behalf_of: null,
    ...more,
  })

  it('puts first what runs out first, then what is riskier, then what is older', () => {
    const requests = [
      request('younger', { requested_at: 101 }),
      request('older'),
      request('riskier', { risk: 'critical', requested_at: 102 }),
      request('sooner', { risk: 'low', expires_at: 400 }),
    ]
    expect(requests.sort(urgentFirst).map(({ id }) => id)).toEqual([
      'sooner',
      'riskier',
      'older',
      'younger',
    ])
  })

  it('finds each word in whatever the request says', () => {
    const found = request('inv_1', { justification: 'Due on Friday', risk: 'low' })

    expect(isFound(found, 'friday INV')).toBe(true)
    expect(isFound(found, 'friday inv_2')).toBe(false)
    expect(isFound(found, '')).toBe(true)
  })
})

describe('the steps of a sequence diagram', () => {
  const exchange = (seq: number, more: object = {}) => ({
    seq,
    seat: 'issuer',
    route: 'jit.request',
    request: { method: 'POST', path: '/jit/request' },
    answer: { status: 201 },
    tokens: [],
    meanwhile: [0, 0],
    ...more,
  })
  const entry = (seq: number, type: string, more: object = {}) => ({ seq, at: 0, type, ...more })

  it('puts what an exchange led to between its request and its answer', () => {
    const opened = entry(1, 'task.opened')

    const [step] = stepsOf({ exchanges: [exchange(1, { meanwhile: [0, 1] })], entries: [opened] })

    expect(step).toMatchObject({ from: 'agent', to: 'issuer', entries: [opened] })
  })

  it('draws a decision made on the page as an arrow of the approver, once', () => {
    const about = { requestId: 'jit_1', by: 'user:ada' }
    const entries = [entry(2, 'permission.endorsed', about), entry(3, 'permission.approved', about)]

    const steps = stepsOf({
      exchanges: [exchange(1, { meanwhile: [0, 1] }), exchange(2, { meanwhile: [3, 3] })],
      entries,
    })

    expect(steps).toHaveLength(3)
    expect(steps[1]).toMatchObject({ from: 'approver', to: 'issuer', entries: [entries[1]] })
  })

  it('puts an introspection into the call that waits for it', () => {
    const about = { jti: 'jti_1' }
    const asked = exchange(1, {
      route: 'oauth.introspect',
      tokens: [{ where: 'request token', claims: about }],
    })
    const call = exchange(2, {
      seat: 'api',
      route: 'documents.read',
      tokens: [{ where: 'request authorization', claims: about }],
    })

    const steps = stepsOf({ exchanges: [asked, call], entries: [] })

    expect(steps).toHaveLength(1)
    expect(steps[0]).toMatchObject({
      exchange: { seq: 2 },
      inner: [{ exchange: { seq: 1 }, from: 'api' }],
    })
  })

  it('does not take what happened while somebody looked for their doing', () => {
    const approved = entry(1, 'permission.approved', { requestId: 'jit_1', by: 'user:ada' })
    const poll = exchange(1, {
      route: 'jit.request.status',
      request: { method: 'GET', path: '/status' },
      meanwhile: [0, 1],
    })

    const steps = stepsOf({ exchanges: [poll], entries: [approved] })

    expect(steps.map(({ from }: { from?: string }) => from)).toEqual(['agent', 'approver'])
  })
})
