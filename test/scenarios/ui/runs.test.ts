import { once } from 'node:events'
import { get } from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { eventually, failing, openWorld, passing, signIn } from './world.ts'

/** The first test loads the mock, and the machine may be busy. */
vi.setConfig({ testTimeout: 30_000 })

const endless = `scenario: A scenario that never ends by itself
steps:
  - eventually:
      within: PT10H
      steps:
        - call: GET /v1/documents/doc_9982
          expect: { status: 200 }
`

const title = 'A document is refused to an agent without a permission'

type Item = Readonly<{ title: string; state: string; verdict: string | null }>

describe('runs of the page for the suite', () => {
  const opened = async (
    files?: Parameters<typeof openWorld>[0],
    options?: Parameters<typeof openWorld>[1],
  ) => {
    const world = await openWorld(files, options)
    const browser = await signIn(world.ui)
    const { items } = (await browser.call('GET', '/state')).body
    const ids = Object.fromEntries(items.map((it: Item & { id: string }) => [it.title, it.id]))
    const ended = async (name: string) => {
      await eventually(async () => ((await browser.item(name)) as Item).verdict).not.toBe(null)
      return browser.item(name)
    }
    return { ...world, ...browser, ids, ended, [Symbol.asyncDispose]: world[Symbol.asyncDispose] }
  }

  it('shows verdict, failed step and message', async () => {
    await using it = await opened({ 'a.yaml': passing(), 'b.yaml': failing })

    await it.call('POST', '/runs', { ids: Object.values(it.ids) })

    expect(await it.ended(title)).toMatchObject({ verdict: 'passed', failure: null })
    expect(await it.ended('A document is open to every agent')).toMatchObject({
      verdict: 'failed',
      failure: { step: '1', line: 5, part: 0 },
    })
  })

  it('draws the diagram of the report, and a panel for each step with exchange, rule and journal', async () => {
    await using it = await opened()
    const id = it.ids[title]
    await it.call('POST', '/runs', { ids: [id] })
    await it.ended(title)

    const { text } = await it.call('GET', `/scenarios/${id}/view?part=0`)

    expect(text).toContain('<svg class="diagram"')
    expect(text).toContain(`href="#/s/${id}/1"`)
    expect(text).toContain('The challenge, decoded')
    expect(text).toContain('‹agent token 1›')
    expect(text).toMatch(/<dt>LUMO-CHALLENGE-1<\/dt><dd>A valid but insufficient token gets 403/)
    expect(text).toContain('<b>token.issued</b>')
    expect(text).not.toMatch(/eyJ[\w-]+\./)
  })

  it('runs a text that is not saved, and leaves the file as it is', async () => {
    await using it = await opened()

    const { status } = await it.call('POST', '/runs', {
      ids: [it.ids[title]],
      text: passing().replace('403', '200'),
    })

    expect(status).toBe(200)
    expect(await it.ended(title)).toMatchObject({ verdict: 'failed', unsaved: true })
    expect(it.read('refused.yaml')).toBe(passing())
  })

  it('answers 422 with the mistakes of a text that cannot run', async () => {
    await using it = await opened()

    const { status, body } = await it.call('POST', '/runs', {
      ids: [it.ids[title]],
      text: 'scenario: short',
    })

    expect(status).toBe(422)
    expect(body.problems[0]).toMatchObject({ line: 1, severity: 'error' })
  })

  it('switches a misbehaviour on for one run, and says which step noticed it', async () => {
    await using it = await opened()
    const ids = [it.ids[title]]

    await it.call('POST', '/runs', { ids, misbehaviours: ['api-challenge-missing'] })
    const noticed = await it.ended(title)

    expect(noticed).toMatchObject({
      verdict: 'failed',
      misbehaviours: ['api-challenge-missing'],
      failure: { step: '1' },
    })
    const unknown = await it.call('POST', '/runs', { ids, misbehaviours: ['no-such-thing'] })
    expect(unknown).toMatchObject({
      status: 400,
      body: { error_description: 'there is no misbehaviour no-such-thing' },
    })
  })

  it('stops a scenario that never ends, and skips it for this reason', async () => {
    await using it = await opened({ 'endless.yaml': endless })
    await it.call('POST', '/runs', { ids: Object.values(it.ids) })
    await eventually(async () => (await it.call('GET', '/state')).body.runs.length).toBe(1)

    await it.call('DELETE', '/runs')

    expect(await it.ended('A scenario that never ends by itself')).toMatchObject({
      verdict: 'skipped',
      reason: 'stopped by hand',
    })
    await eventually(async () => (await it.call('GET', '/state')).body.runs).toEqual([])
  })

  it('fails a scenario that exceeds its time or its number of exchanges', async () => {
    const tooMany = `scenario: A scenario that sends too many requests
steps:
  - repeat:
      times: 1000
      steps: [{ repeat: { times: 1000, steps: [{ call: GET /v1/documents/doc_9982, expect: { status: 403 } }] } }]
`
    await using it = await opened(
      { 'endless.yaml': endless, 'many.yaml': tooMany },
      { limit: { milliseconds: 3000, exchanges: 40 } },
    )

    await it.call('POST', '/runs', { ids: Object.values(it.ids) })

    const [slow, many] = [
      await it.ended('A scenario that never ends by itself'),
      await it.ended('A scenario that sends too many requests'),
    ]
    expect(slow.failure.message).toMatch(/expected the scenario to end within (3 s|40 exchanges)/)
    expect(many.failure.message).toBe('expected the scenario to end within 40 exchanges')
  })

  it('runs a watched file when it changes on disk, and when it is saved', async () => {
    await using it = await opened()
    const id = it.ids[title]
    await it.call('POST', '/watch', { ids: [id], on: true })

    it.write('refused.yaml', failing)
    const onDisk = await it.ended('A document is open to every agent')
    await it.call('PUT', `/scenarios/${id}`, { text: passing(), version: onDisk.version })

    expect(onDisk).toMatchObject({ verdict: 'failed', watched: true })
    await eventually(async () => ((await it.item(title)) as Item).verdict).toBe('passed')
  })

  it('saves what was run as the HTML report, apart for each way of running', async () => {
    await using it = await opened()
    const empty = await it.call('GET', '/report.html')
    await it.call('POST', '/runs', { ids: [it.ids[title]], text: passing().replace('403', '200') })
    await it.ended(title)

    const { status, text } = await it.call('GET', '/report.html')

    expect(empty.status).toBe(404)
    expect(status).toBe(200)
    expect(text).toContain('<title>1 of 1 scenarios failed</title>')
    expect(text).toContain('fetch, unsaved text')
  })

  it('sends verdicts as server-sent events, with what was missed', async () => {
    await using it = await opened()
    const request = get(`${it.ui.origin}/api/events`, { headers: { cookie: it.cookie } })
    const [response] = await once(request, 'response')
    let text = ''
    response.on('data', (chunk: Buffer) => {
      text += chunk
    })

    await it.call('POST', '/runs', { ids: [it.ids[title]] })

    await eventually(() => text).toContain('"verdict":"passed"')
    request.destroy()
    const hello = /^id: (\S+)\nevent: hello/m.exec(text)?.[1] ?? ''
    const missed = await it.call('GET', `/news?last_event_id=${hello}`)
    expect(missed.body.resumed).toBe(true)
    expect(JSON.stringify(missed.body.entries)).toContain('"verdict":"passed"')
  })
})
