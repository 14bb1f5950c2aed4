import { describe, expect, it } from 'vitest'
import { createRouter } from '../../../../server/wire/routes/router.ts'

const find = createRouter([
  'model.read',
  'model.gemini.generate',
  'model.gemini.stream',
  'documents.read',
  'documents.list',
])
const models = '/_harness/llm/v1beta/models'

describe('a path with a verb', () => {
  it.each([
    ['gemini-3:generateContent', 'model.gemini.generate', 'gemini-3'],
    ['gemini-3:streamGenerateContent', 'model.gemini.stream', 'gemini-3'],
    ['qwen:7b:generateContent', 'model.gemini.generate', 'qwen:7b'],
    ['a%2Fb:generateContent', 'model.gemini.generate', 'a/b'],
  ])('is found: %s', (segment, name, model) => {
    expect(find('POST', `${models}/${segment}`)).toEqual({ name, params: { model } })
  })

  it.each([
    'gemini-3',
    'gemini-3:countTokens',
    'gemini-3:generateContent/x',
    ':generateContent',
    'gemini-3:generateContent:',
    '',
  ])('must not be %j', (segment) => {
    expect(find('POST', `${models}/${segment}`)).toBeUndefined()
  })

  it('names the methods that are allowed', () => {
    expect(find('GET', `${models}/gemini-3:generateContent`)).toEqual({ allow: ['POST'] })
  })

  it('leaves colons to parameters without a verb', () => {
    expect(find('GET', '/_harness/llm/v1/models/qwen:7b')).toEqual({
      name: 'model.read',
      params: { model: 'qwen:7b' },
    })
    expect(find('GET', '/v1/documents/a:generateContent')).toEqual({
      name: 'documents.read',
      params: { documentId: 'a:generateContent' },
    })
  })
})
