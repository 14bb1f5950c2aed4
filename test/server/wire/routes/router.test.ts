import { describe, expect, it } from 'vitest'
import { pathsOf } from '../../../../server/wire/routes/route.ts'
import { createRouter, findRoute } from '../../../../server/wire/routes/router.ts'
import { routes } from '../../../../server/wire/routes/routes.ts'

const find = (method: string, path: string) =>
  createRouter([
    'model.read',
    'model.gemini.generate',
    'model.gemini.stream',
    'documents.read',
    'documents.list',
  ])(method, path)
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

describe('a router', () => {
  it.each([
    ['GET', 'documents.read'],
    ['HEAD', 'documents.read'],
  ])('finds the route of %s', (method, name) => {
    expect(find(method, '/v1/documents/doc_1')).toEqual({ name, params: { documentId: 'doc_1' } })
  })

  it('names the allowed methods of a path, HEAD wherever GET is', () => {
    expect(find('DELETE', '/v1/documents')).toEqual({ allow: ['GET', 'HEAD'] })
    expect(find('HEAD', `${models}/gemini-3:generateContent`)).toEqual({ allow: ['POST'] })
  })

  it('collapses slashes at the beginning only', () => {
    expect(find('GET', '///v1/documents')).toMatchObject({ name: 'documents.list' })
    expect(find('GET', '/v1//documents')).toBeUndefined()
    expect(find('GET', '/v1/documents/')).toBeUndefined()
  })

  it('does not find what is longer or shorter than a route', () => {
    for (const path of ['/v1', '/v1/documents/doc_1/more', '/v2/documents', '/']) {
      expect(find('GET', path)).toBeUndefined()
    }
  })

  it('throws URIError for a path that is not percent-encoded UTF-8', () => {
    expect(() => find('GET', '/v1/documents/%ff')).toThrow(URIError)
  })

  it('rejects two routes of one method and path', () => {
    expect(() => createRouter(['documents.list', 'documents.list'])).toThrow(
      'two routes for GET /v1/documents',
    )
  })
})

describe('the route of a request to a seat', () => {
  it('is a route of this seat', () => {
    const [path = ''] = pathsOf(routes['jit.request'])
    expect(findRoute('issuer', 'POST', path)).toBe('jit.request')
    expect(findRoute('api', 'POST', path)).toBeUndefined()
    expect(findRoute('api', 'POST', '/jit/request')).toBeUndefined()
    expect(findRoute('api', 'GET', '/v1/documents')).toBe('documents.list')
  })

  it('is undefined for HEAD, another method, an unknown path and a malformed one', () => {
    expect(findRoute('api', 'HEAD', '/v1/documents')).toBeUndefined()
    expect(findRoute('api', 'DELETE', '/v1/documents')).toBeUndefined()
    expect(findRoute('api', 'GET', '/v1/unknown')).toBeUndefined()
    expect(findRoute('api', 'GET', '/v1/documents/%ff')).toBeUndefined()
  })
})
