import { describe, expect, it } from 'vitest'
import { DeadlineExceededError } from '../../client/errors.ts'
import { readResponseChallenge } from '../../client/response-challenge.ts'
import { encodeChallenge } from '../../server/wire/challenge.ts'
import { json, reading } from './world.ts'

const unbounded = <T>(read: (signal: AbortSignal) => Promise<T>) =>
  read(new AbortController().signal)
const read = (response: Response, bounded = unbounded) => readResponseChallenge(response, bounded)

const header = { 'insufficient-authorization-details': encodeChallenge(reading('doc_1')) }
const inBody = (...details: unknown[]) => ({
  error: 'insufficient_authorization_details',
  authorization_details: details,
})
/** A detail of the given levels. */
const deep = (levels: number) => {
  let value: object = {}
  for (let level = 1; level < levels - 1; level += 1) value = { value }
  return { type: 'file_access', value }
}

describe('the challenge of a response', () => {
  it('is read from the header of a 403', async () => {
    expect(await read(json(403, {}, header))).toEqual([reading('doc_1')])
  })

  it.each([200, 400, 404, 500])('is not read from a %i', async (status) => {
    expect(await read(json(status, inBody(reading('doc_1')), header))).toBeUndefined()
  })

  it('is not read from the body of a 401, nor from one that is not JSON', async () => {
    const text = JSON.stringify(inBody(reading('doc_1')))

    expect(await read(json(401, inBody(reading('doc_1'))))).toBeUndefined()
    expect(await read(new Response(text, { status: 403 }))).toBeUndefined()
    expect(await read(new Response(null, { status: 403 }))).toBeUndefined()
  })

  it('is rejected when one of its details has more than 16 levels', async () => {
    expect(await read(json(403, inBody(reading('doc_1'), deep(16))))).toHaveLength(2)
    await expect(read(json(403, inBody(reading('doc_1'), deep(17))))).rejects.toThrow(
      'the challenge is nested deeper than 16 levels',
    )
  })

  it('in a header is read although the body does not arrive in time', async () => {
    const late = () => Promise.reject(new DeadlineExceededError('GET /', 5))

    expect(await read(json(403, {}, header), late)).toEqual([reading('doc_1')])
    expect(await read(json(403, inBody(reading('doc_1'))), late)).toBeUndefined()
  })

  it('throws every other error of reading', async () => {
    const aborted = () => Promise.reject(new Error('changed my mind'))

    await expect(read(json(403, {}, header), aborted)).rejects.toThrow('changed my mind')
  })
})
