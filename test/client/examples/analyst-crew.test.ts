import { describe, expect, it } from 'vitest'
import { analyse, type Model } from '../../../client/examples/analyst-crew.ts'
import { api, json, secret, signedUp } from '../world.ts'

const hired = () => {
  const { world, agent } = signedUp()
  const lines: string[] = []
  world.on('POST /v1/reports', () => json(201, { id: 'report_1' }))
  const work = (model?: Model, signal?: AbortSignal) =>
    analyse({
      agent,
      documentsUrl: api,
      print: (line) => lines.push(line),
      ...(model ? { model } : {}),
      ...(signal ? { signal } : {}),
    })
  return { world, lines, work }
}

const completed = 'POST /jit/task/task_2/complete'

describe('the analyst crew', () => {
  it('completes its task when a tool throws', async () => {
    const { world, lines, work } = hired()
    world.once('GET /v1/documents/doc_9982', (it) => {
      world.on('POST /jit/request', () => json(401, { error: 'invalid_token' }))
      return world.usual(it)
    })

    await expect(work()).rejects.toMatchObject({ code: 'authentication_error' })

    expect(world.lines().at(-1)).toBe(completed)
    expect(lines.at(-1)).toMatch(/^task completed/)
  })

  it('completes its task when it is aborted', async () => {
    const { world, work } = hired()
    const interrupted = new AbortController()
    world.once('GET /v1/documents/doc_9982', (it) => {
      interrupted.abort(new Error('interrupted'))
      return world.usual(it)
    })

    await expect(work(undefined, interrupted.signal)).rejects.toThrow('interrupted')

    expect(world.lines().at(-1)).toBe(completed)
  })

  it('reports a task that could not be completed', async () => {
    const { world, lines, work } = hired()
    world.on(completed, () => json(403, { error: 'task_forbidden' }))

    await work()

    expect(lines.slice(-2)).toEqual([
      '! task_2 could not be completed; its tokens stay valid until they expire',
      'task left over',
    ])
  })

  it('reports what it could not do, and why', async () => {
    const { world, work } = hired()
    Object.assign(world, { decision: 'denied', afterPolls: 1 })

    await expect(work()).resolves.toMatch(/^I could not read doc_9982: permission denied: .*audit$/)
  })

  it('stops after a number of turns if the model never finishes', async () => {
    const { work } = hired()
    const model = { next: async () => ({ use: 'no_such_tool', input: {} }) }

    await expect(work(model)).resolves.toMatch(/^gave up/)
  })

  it('reads the document, writes the report, and prints no token', async () => {
    const { world, lines, work } = hired()

    await expect(work()).resolves.toBe('I wrote the report report_1.')

    expect(world.to('POST /v1/reports')[0]?.json).toMatchObject({ document_ids: ['doc_9982'] })
    expect(world.lines().at(-1)).toBe(completed)
    expect(lines.join()).toMatch(/uses fetch_sensitive_document/)
    expect(lines.join()).not.toMatch(/-token_/)
    expect(lines.join()).not.toContain(secret)
  })
})
