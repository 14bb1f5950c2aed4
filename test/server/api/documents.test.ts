import { describe, expect, it } from 'vitest'
import type { Change } from '../../../server/api/changes.ts'
import { summarise } from '../../../server/api/summary.ts'
import { Document, DocumentList, Report, readChallenge } from '../../../server/wire/index.ts'
import { file, jitToken, start, tokenWith, world } from './world.ts'

const challengeOf = (answer: { status: number; headers: Readonly<Record<string, string>> }) =>
  readChallenge(answer.status, new Headers(answer.headers))
const people = { type: 'user_data', actions: ['read'], identifier: 'doc_people' }

describe('reading a document', () => {
  it('gets 401 without a token, even for a document that does not exist', async () => {
    const { call } = world()

    for (const id of ['doc_public', 'doc_9982', 'doc_nowhere']) {
      expect((await call(`GET /v1/documents/${id}`)).status).toBe(401)
    }
  })

  it('gets the same 403 whether or not the confidential document exists', async () => {
    const { call } = world()
    const token = await jitToken(file('doc_public', 'read'))
    const shape = (answer: unknown, id: string) =>
      JSON.stringify(answer)
        .replaceAll(id, 'ID')
        .replaceAll(btoa(JSON.stringify(file(id, 'read'))), 'CHALLENGE')

    const there = await call('GET /v1/documents/doc_9982', { token })
    const nowhere = await call('GET /v1/documents/doc_0000', { token })

    expect(there.status).toBe(403)
    expect(shape(nowhere, 'doc_0000')).toBe(shape(there, 'doc_9982'))
  })

  it('gets 404 for a missing document, given a token that may read it', async () => {
    const { call } = world()

    const answer = await call('GET /v1/documents/doc_0000', {
      token: await jitToken(file('doc_0000', 'read')),
    })

    expect(answer).toMatchObject({ status: 404, body: { error: 'not_found' } })
  })

  it('of restricted data needs a user_data detail; file_access gets 403', async () => {
    const { call } = world()

    const refused = await call('GET /v1/documents/doc_people', {
      token: await jitToken(file('doc_people', 'read')),
    })
    const read = await call('GET /v1/documents/doc_people', { token: await jitToken(people) })

    expect(challengeOf(refused)).toEqual([people])
    expect(read.body.body).toBe('Ada earns most.')
  })

  it('returns the document as it was when the request was authorized', async () => {
    const { call, api } = world({
      introspect: async () => {
        api.documents.put(
          'doc_public',
          { title: 'x', body: 'secret', classification: 'restricted' },
          'x',
        )
        return { active: true }
      },
    })

    const answer = await call('GET /v1/documents/doc_public', { token: await tokenWith() })

    expect(answer.body.body).toBe('Nine to five.')
  })
})

describe('listing documents', () => {
  const listed = async (token: string) => {
    const { body } = await world().call('GET /v1/documents', { token })
    return DocumentList.parse(body).documents.map(({ id }) => id)
  }

  it('returns only documents the token may read, without bodies', async () => {
    expect(await listed(await tokenWith())).toEqual(['doc_public'])
    expect(await listed(await tokenWith({ scope: 'read:documents' }))).toEqual([
      'doc_public',
      'doc_internal',
    ])
    expect(await listed(await jitToken(file('doc_9982', 'read'), people))).toEqual([
      'doc_public',
      'doc_9982',
      'doc_people',
    ])

    const { body } = await world().call('GET /v1/documents', { token: await tokenWith() })
    expect(JSON.stringify(body)).not.toContain('Nine to five')
  })
})

describe('writing a document', () => {
  const order = { title: 'Q4 revenue, final', body: 'It was 13 %.' }

  it('is refused with a detail that grants only read', async () => {
    const { call, api } = world()

    const answer = await call('PUT /v1/documents/doc_9982', {
      token: await jitToken(file('doc_9982', 'read', 'delete')),
      body: order,
    })

    expect(challengeOf(answer)).toEqual([file('doc_9982', 'write')])
    expect(api.documents.find('doc_9982')).toMatchObject({ version: 1, updated_by: 'system' })
  })

  it('shows in later reads, with the author and the time', async () => {
    const { call, advance } = world()
    advance(60)

    const written = await call('PUT /v1/documents/doc_9982', {
      token: await jitToken(file('doc_9982', 'write')),
      body: order,
    })
    const read = await call('GET /v1/documents/doc_9982', {
      token: await jitToken(file('doc_9982', 'read')),
    })

    expect(written.status).toBe(200)
    expect(Document.parse(read.body)).toEqual({
      id: 'doc_9982',
      ...order,
      classification: 'confidential',
      version: 2,
      updated_at: new Date((start + 60) * 1000).toISOString(),
      updated_by: 'agent:report-bot:task:task_1',
    })
  })

  it('creates a missing document, confidential by default', async () => {
    const { call, api } = world()

    const answer = await call('PUT /v1/documents/doc_new', {
      token: await jitToken(file('doc_new', 'write')),
      body: order,
    })

    expect(answer).toMatchObject({ status: 201, body: { version: 1 } })
    expect(api.documents.find('doc_new')?.classification).toBe('confidential')
  })

  it('is refused above the storage limit, and keeps the old document', async () => {
    const { call, api } = world({ documentLimits: { documents: 4, characters: 200 } })
    const put = async (id: string, body: string) =>
      call(`PUT /v1/documents/${id}`, {
        token: await jitToken(file(id, 'write')),
        body: { title: 'x', body },
      })

    const oneMore = await put('doc_new', 'x')
    const tooLong = await put('doc_9982', 'x'.repeat(200))

    expect(oneMore).toMatchObject({ status: 507, body: { error: 'insufficient_storage' } })
    expect(tooLong.status).toBe(507)
    expect(api.documents.find('doc_9982')?.version).toBe(1)
    expect((await put('doc_9982', 'x'.repeat(50))).status).toBe(200)
  })

  it('is refused for a malformed document id', () => {
    const { api } = world()

    expect(() => api.documents.put('a b', order, 'ada')).toThrow(
      expect.objectContaining({ refusal: { error: 'not_found', what: 'document' } }),
    )
  })

  it('is accepted up to the last character of the limit, and refused above it', () => {
    const { api } = world({ documents: [], documentLimits: { documents: 2, characters: 10 } })
    const put = (id: string, body: string) => api.documents.put(id, { title: 'x', body }, 'ada')
    put('a', 'xxxx')

    expect(() => put('b', 'xxxxx')).toThrow('insufficient_storage')
    put('b', 'xxxx')
    expect(() => put('c', '')).toThrow('insufficient_storage')
  })

  it('is limited to 10,000 documents and 16 Mi characters by default', () => {
    const { api } = world({ documents: [] })
    const put = (id: string, body: string) => api.documents.put(id, { title: '', body }, 'ada')

    expect(() => put('large', 'x'.repeat(16 * 1024 * 1024 + 1))).toThrow('insufficient_storage')
    put('large', 'x'.repeat(16 * 1024 * 1024))
    for (let at = 1; at < 10_000; at += 1) put(`doc_${at}`, '')
    expect(() => put('doc_10000', '')).toThrow('insufficient_storage')
  })

  it('is accepted again after a deletion freed the space', () => {
    const { api } = world({ documentLimits: { documents: 4, characters: 200 } })

    api.documents.delete('doc_9982')

    expect(api.documents.put('doc_new', { title: 'x', body: 'x'.repeat(70) }, 'x').isNew).toBe(true)
  })
})

describe('deleting a document', () => {
  it('needs a detail with the action delete for this document', async () => {
    const { call } = world()

    const answer = await call('DELETE /v1/documents/doc_public', {
      token: await jitToken(file('doc_public', 'read', 'write')),
    })

    expect(challengeOf(answer)).toEqual([file('doc_public', 'delete')])
  })

  it('succeeds once; the second time gets 404', async () => {
    const { call } = world()
    const token = await jitToken(file('doc_9982', 'read', 'delete'))

    expect(await call('DELETE /v1/documents/doc_9982', { token })).toMatchObject({ status: 204 })
    expect((await call('DELETE /v1/documents/doc_9982', { token })).status).toBe(404)
    expect((await call('GET /v1/documents/doc_9982', { token })).status).toBe(404)
  })

  it('gets 404 for a document that does not exist', () => {
    const { api } = world()

    expect(() => api.documents.delete('doc_0000')).toThrow(
      expect.objectContaining({ refusal: { error: 'not_found', what: 'document' } }),
    )
  })
})

describe('a summary', () => {
  it.each([
    ['public', 'doc_public', file('doc_public', 'read')],
    ['confidential', 'doc_9982', file('doc_9982', 'read')],
    ['restricted', 'doc_people', people],
    ['missing', 'doc_0000', file('doc_0000', 'read')],
  ])('of a %s document needs a detail', async (_, id, needed) => {
    const { call } = world()

    const answer = await call(`POST /v1/documents/${id}/summaries`, {
      token: await tokenWith({ scope: 'read:documents' }),
      body: {},
    })

    expect(challengeOf(answer)).toEqual([needed])
  })

  it('consists of sentences of the document', async () => {
    const { call } = world()

    const { status, body } = await call('POST /v1/documents/doc_9982/summaries', {
      token: await jitToken(file('doc_9982', 'read')),
      body: { max_words: 11 },
    })

    expect(status).toBe(201)
    expect(body).toMatchObject({
      document_id: 'doc_9982',
      summary: 'Revenue rose 12 % to 48.1 million. Costs fell 3 %.',
      words: 11,
    })
  })

  it('stores the text in the request body, as in the OpenAI Agents guide', async () => {
    const { call } = world()

    const { status, body } = await call('POST /v1/documents/doc_9982/summaries', {
      token: await jitToken(file('doc_9982', 'read')),
      body: { text: 'A good quarter.' },
    })

    expect(status).toBe(201)
    expect(body).toMatchObject({ summary: 'A good quarter.', words: 3 })
  })

  it.each([
    ['', 5, '', 0],
    ['One two three four. Five.', 3, 'One two three …', 3],
    ['One two.\n\n  Three   four. Five six seven.', 4, 'One two. Three four.', 4],
    ['Is it? It is! Good.', 2, 'Is it?', 2],
  ])('of %j in %i words is %j', (text, most, summary, words) => {
    expect(summarise(text, most)).toEqual({ summary, words })
  })
})

describe('reports', () => {
  const order = { title: 'Q4', content: 'Revenue rose. Costs fell.', document_ids: ['doc_9982'] }
  const writing = file('reports', 'write')
  const written = async () => {
    const { call, ...others } = world()
    const { body } = await call('POST /v1/reports', { token: await jitToken(writing), body: order })
    return { call, ...others, report: Report.parse(body) }
  }

  it('are not written with a scope alone', async () => {
    const { call, api } = world()

    const answer = await call('POST /v1/reports', {
      token: await tokenWith({ scope: 'write:reports' }),
      body: order,
    })

    expect(challengeOf(answer)).toEqual([writing])
    expect([...api.reports.all()]).toEqual([])
  })

  it('are read with a detail for that report', async () => {
    const { call, report } = await written()
    const path = `GET /v1/reports/${report.id}`

    expect(challengeOf(await call(path, { token: await jitToken(writing) }))).toEqual([
      file(report.id, 'read'),
    ])
    expect((await call(path, { token: await jitToken(file(report.id, 'read')) })).body).toEqual({
      ...order,
      id: 'report_1',
      created_at: new Date(start * 1000).toISOString(),
      created_by: 'agent:report-bot:task:task_1',
    })
  })

  it('are listed by title only', async () => {
    const { call } = await written()

    const { body } = await call('GET /v1/reports', { token: await tokenWith() })

    expect(body).toMatchObject({ count: 1, reports: [{ id: 'report_1', title: 'Q4' }] })
    expect(JSON.stringify(body)).not.toContain('Revenue rose')
  })

  it('are summarized for a token with the scope', async () => {
    const { call } = await written()
    const token = await tokenWith({ scope: 'read:documents' })

    expect(
      (await call('GET /v1/reports/report_1/summary', { token: await tokenWith() })).status,
    ).toBe(403)
    expect((await call('GET /v1/reports/report_1/summary', { token })).body).toEqual({
      id: 'report_1',
      title: 'Q4',
      summary: 'Revenue rose. Costs fell.',
      words: 4,
    })
    expect((await call('GET /v1/reports/report_2/summary', { token })).status).toBe(404)
  })

  it('are refused above the storage limit', async () => {
    const { call } = world({ reportLimits: { reports: 0, characters: 100 } })

    const answer = await call('POST /v1/reports', { token: await jitToken(writing), body: order })

    expect(answer.status).toBe(507)
  })

  it('are accepted up to the last character of the limit, titles included', () => {
    const { api } = world({ reportLimits: { reports: 2, characters: 10 } })
    const create = (title: string, content: string) => api.reports.create({ title, content }, 'ada')
    create('xx', 'xxx')

    expect(() => create('xx', 'xxxx')).toThrow('insufficient_storage')
    create('xx', 'xxx')
    expect(() => create('', '')).toThrow('insufficient_storage')
    expect([...api.reports.all()].map((it) => it.document_ids)).toEqual([[], []])
  })

  it('are limited to 10,000 and 16 Mi characters by default', () => {
    const { api } = world()
    const create = (content: string) => api.reports.create({ title: '', content }, 'ada')

    expect(() => create('x'.repeat(16 * 1024 * 1024 + 1))).toThrow('insufficient_storage')
    create('x'.repeat(16 * 1024 * 1024))
    for (let at = 1; at < 10_000; at += 1) create('')
    expect(() => create('')).toThrow('insufficient_storage')
  })
})

describe('replayed documents and reports', () => {
  const limits = {
    documents: [],
    documentLimits: { documents: 2, characters: 10 },
    reportLimits: { reports: 2, characters: 10 },
  }
  const worked = () => {
    const changes: Change[] = []
    const { api } = world({ ...limits, keep: (change) => changes.push(change) })
    api.documents.put('gone', { title: 'x', body: 'xxxx' }, 'ada')
    api.documents.put('kept', { title: 'x', body: '1' }, 'ada')
    api.documents.put('kept', { title: 'x', body: '2' }, 'bob')
    api.documents.delete('gone')
    api.reports.create({ title: 'Q4', content: 'rose' }, 'ada')
    return { api, changes }
  }

  it('are the same as before', () => {
    const { api, changes } = worked()

    const { api: again } = world({ ...limits, changes })

    expect([...again.documents.all()]).toEqual([...api.documents.all()])
    expect(again.documents.find('kept')).toMatchObject({ body: '2', version: 2 })
    expect([...again.reports.all()]).toEqual([...api.reports.all()])
    expect(again.reports.find('report_1')?.content).toBe('rose')
  })

  it('take as much of the limit as before', () => {
    const { api } = world({ ...limits, changes: worked().changes })

    expect(() => api.documents.put('more', { title: '', body: 'x'.repeat(9) }, 'ada')).toThrow()
    api.documents.put('more', { title: '', body: 'x'.repeat(8) }, 'ada')
    expect(() => api.reports.create({ title: '', content: 'xxxxx' }, 'ada')).toThrow()
    api.reports.create({ title: '', content: 'xxxx' }, 'ada')
  })

  it('may have been deleted twice', () => {
    const { changes } = worked()

    const { api } = world({ ...limits, changes: [...changes, { deleted: 'gone' }] })

    expect(api.documents.find('kept')).toBeDefined()
  })
})
