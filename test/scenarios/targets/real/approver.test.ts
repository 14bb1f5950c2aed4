import { describe, expect, it } from 'vitest'
import { Approver, type ApproverOptions } from '../../../../scenarios/targets/real/approver.ts'
import { ApproverScript } from '../../../../server/wire/index.ts'

const status = 'https://issuer.test/t/acme/api/v1/jit/request/req_1/status'
const pending = { status: 'pending', task_id: 'task_1', interval: 0.001 }

/** A real person as approver; the issuer gives the answers in order. */
const world = (
  answers: readonly object[],
  script: object = { decision: 'approve' },
  more: Partial<ApproverOptions> = {},
) => {
  const said: string[] = []
  const sent: Request[] = []
  const approver = new Approver({
    token: undefined,
    patience: 60,
    signal: new AbortController().signal,
    say: (line) => said.push(line),
    ...more,
  })
  approver.follow(ApproverScript.parse(script))
  const look = (init?: RequestInit) =>
    approver.around(new Request(status, init), async (request) => {
      sent.push(request)
      request.signal.throwIfAborted()
      return Response.json(answers[Math.min(sent.length, answers.length) - 1])
    })
  return { look, said, sent }
}

describe('a real person who decides', () => {
  it('is told once what to decide, and where', async () => {
    const { look, said, sent } = world([pending, pending, pending, { status: 'approved' }])

    expect(await (await look()).json()).toEqual({ status: 'approved' })
    expect(sent).toHaveLength(4)
    expect(said).toEqual(['please approve the request req_1 at https://issuer.test/approve/task_1'])
  })

  it('is told the reason the scenario needs and the approval_url of the issuer', async () => {
    const expires_at = '2026-11-24T03:05:00Z'
    const { look, said } = world(
      [{ ...pending, approval_url: 'https://app.test/inbox', expires_at }, { status: 'denied' }],
      { decision: 'deny', reason: 'Not now' },
    )
    await look()

    expect(said).toEqual([
      'please deny the request req_1 at https://app.test/inbox with the reason "Not now" until 2026-11-24T03:05:00.000Z',
    ])
  })

  it('never sees control characters of an issuer', async () => {
    const evil = '\u001b[2J\nplease send your password'
    const { look, said } = world([
      { ...pending, approval_url: evil, expires_at: evil, task_id: evil },
      { status: 'approved' },
    ])
    await look()

    expect(JSON.stringify(said)).not.toMatch(/\\u001b|\\n|please send/)
  })

  it('may take longer than the timeout of an answer', async () => {
    const late = new AbortController()
    const { look, said } = world([pending, { status: 'approved' }], undefined, {
      say: () => late.abort(new DOMException('late', 'TimeoutError')),
    })

    expect(await (await look({ signal: late.signal })).json()).toEqual({ status: 'approved' })
    expect(said).toEqual([])
  })

  it.each(['denied', 'expired', 'revoked'])(
    'skips the scenario when the status becomes %s instead',
    async (status) => {
      const { look } = world([pending, { status }])

      await expect(look()).rejects.toThrow(
        `the person was asked to approve the request, but it is ${status}`,
      )
    },
  )

  it('is not asked about a request that was decided before', async () => {
    const { look, said } = world([{ status: 'denied' }])

    expect(await (await look()).json()).toEqual({ status: 'denied' })
    expect(said).toEqual([])
  })

  it('is asked only after the polls of the script', async () => {
    const { look, said } = world(
      [pending],
      { decision: 'approve', after_polls: 2 },
      { patience: 0 },
    )

    await look()
    await look()

    expect(said).toEqual([])
    await expect(look()).rejects.toThrow('no person decided within 0 s')
  })

  it('is no longer awaited after an interruption', async () => {
    const interrupted = new AbortController()
    const { look, sent } = world([{ ...pending, interval: 3600 }], undefined, {
      signal: interrupted.signal,
      say: () => interrupted.abort(),
    })

    await expect(look()).rejects.toThrow('interrupted')
    expect(sent).toHaveLength(1)
  })
})

describe('an approver whose token is known', () => {
  const base = 'https://issuer.test/t/acme/api/v1'
  const deciding = (script: object) => {
    const sent: string[] = []
    const approver = new Approver({
      token: 'token-of-ada',
      patience: 60,
      signal: new AbortController().signal,
      say: () => {},
    })
    approver.follow(ApproverScript.parse(script))
    let made = 0
    const send = (method: string, path: string) =>
      approver.around(new Request(`${base}${path}`, { method }), async (request) => {
        sent.push(`${request.method} ${request.url.slice(base.length)}`)
        return Response.json(
          request.url.endsWith('/jit/request') ? { request_id: `req_${++made}` } : {},
        )
      })
    return { send, sent, decisions: () => sent.filter((it) => /approve|deny/.test(it)) }
  }

  it('decides every request of the scenario, each once', async () => {
    const { send, decisions } = deciding({ decision: 'approve' })

    for (const id of ['req_1', 'req_2', 'req_1', 'req_2']) {
      await send('GET', `/jit/request/${id}/status`)
    }

    expect(decisions()).toEqual(['POST /jit/approve/req_1', 'POST /jit/approve/req_2'])
  })

  it('decides each request only after the delay of the script, counted from that request', async () => {
    const { send, decisions } = deciding({ decision: 'deny', after: 'PT1H' })

    await send('POST', '/jit/request')
    await send('GET', '/jit/request/req_1/status')

    expect(decisions()).toEqual([])
  })
})
