import { describe, expect, it } from 'vitest'
import { isModelPath, ModelReply, ReplyCondition } from '../../../server/wire/model.ts'

describe('a reply of the scripted model', () => {
  it.each([
    [{ say: 'Done.' }],
    [{ call: { name: 'read_report' } }],
    [{ say: 'Reading.', call: [{ name: 'read_report' }] }],
  ])('may be %j', (reply) => {
    expect(ModelReply.safeParse(reply).success).toBe(true)
  })

  it('says or calls something', () => {
    expect(ModelReply.safeParse({ repeat: true }).error?.issues).toMatchObject([
      { path: [], message: 'expected say, call or both' },
    ])
  })

  it('has a condition that says something, or none', () => {
    expect(ReplyCondition.parse({ turn: 1 })).toEqual({ turn: 1 })
    expect(ModelReply.safeParse({ say: 'Done.', when: {} }).error?.issues).toMatchObject([
      { path: ['when'], message: 'expected at least one condition' },
    ])
  })
})

describe('the path of the scripted model', () => {
  it.each([
    '/_harness/llm/v1/models',
    '//_harness/llm/v1/models',
    '/_harness/tenants/acme/llm/v1/models',
  ])('is %s', (path) => {
    expect(isModelPath(path)).toBe(true)
  })

  it.each([
    '/_harness/llm',
    '/_harness/tenants/llm/v1',
    '/_harness/tenants/acme/other/llm/v1',
    '/v1/_harness/llm/v1/models',
    '_harness/llm/v1/models',
  ])('is not %s', (path) => {
    expect(isModelPath(path)).toBe(false)
  })
})
