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

  it('requires say or call', () => {
    expect(ModelReply.safeParse({ repeat: true }).error?.issues).toMatchObject([
      { path: [], message: 'expected say, call or both' },
    ])
  })

  it('requires at least one condition in when', () => {
    expect(ReplyCondition.parse({ turn: 1 })).toEqual({ turn: 1 })
    expect(ModelReply.safeParse({ say: 'Done.', when: {} }).error?.issues).toMatchObject([
      { path: ['when'], message: 'expected at least one condition' },
    ])
  })
})

describe('the path in a placeholder', () => {
  it.each([
    '/_harness/llm/v1/models',
    '//_harness/llm/v1/models',
    '/_harness/tenants/acme/llm/v1/models',
  ])('may be %s', (path) => {
    expect(isModelPath(path)).toBe(true)
  })

  it.each([
    '/_harness/llm',
    '/_harness/tenants/llm/v1',
    '/_harness/tenants/acme/other/llm/v1',
    '/v1/_harness/llm/v1/models',
    '_harness/llm/v1/models',
  ])('must not be %s', (path) => {
    expect(isModelPath(path)).toBe(false)
  })
})
