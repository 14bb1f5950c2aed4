import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createGuard } from '../../../server/api/guard.ts'
import { parseRequirement } from '../../../server/api/requirement.ts'
import { file, here, issuer, keys, start } from './world.ts'

describe('a requirement', () => {
  it.each([
    { token: 'any' },
    { scope: 'read:documents' },
    { scope: 'read:documents write:documents' },
    { detail: { type: 'file_access' } },
    { detail: { ...file('doc_1', 'read'), locations: [here], 'x-more': [{ deep: null }] } },
    { detail: file('x'.repeat(12_500), 'read') },
  ])('may be %j', (requirement) => {
    expect(parseRequirement(requirement)).toEqual(requirement)
  })

  const usual = "requirement: expected exactly one of { token: 'any' }, { scope } and { detail }"
  it.each<[unknown, string]>([
    [undefined, `${usual}, received undefined`],
    [null, `${usual}, received null`],
    ['read', `${usual}, received a string`],
    [[], `${usual}, received a list`],
    [{}, `${usual}, received [object Object]`],
    [{ details: file('d', 'read') }, `${usual}, received the members details`],
    [{ constructor: 1 }, `${usual}, received the members constructor`],
    [{ scope: 'a', token: 'any' }, `${usual}, received the members scope, token`],
    [{ scope: 'a', detail: undefined }, `${usual}, received the members scope, detail`],
    [Object.create({ token: 'any' }), `${usual}, received [object Object]`],
    [{ token: 'all' }, "requirement.token: expected 'any'"],
    [{ token: undefined }, "requirement.token: expected 'any'"],
    [{ scope: '' }, 'requirement.scope: expected scopes of'],
    [{ scope: ' ' }, 'requirement.scope: expected scopes of'],
    [{ scope: 'a  b' }, 'requirement.scope: expected scopes of'],
    [{ scope: 'a\nb' }, 'requirement.scope: expected scopes of'],
    [{ scope: 'say "a"' }, 'requirement.scope: expected scopes of'],
    [{ scope: ['a'] }, 'requirement.scope: '],
    [{ detail: {} }, 'requirement.detail.type: '],
    [{ detail: { type: '' } }, 'requirement.detail.type: expected a text of at least one'],
    [{ detail: { type: 't', identifier: '' } }, 'requirement.detail.identifier: expected a text'],
    [
      { detail: { type: 't', identifier: undefined } },
      'requirement.detail.identifier: Invalid input: expected string, received undefined',
    ],
    [
      { detail: { type: 't', more: undefined } },
      'requirement.detail.more: expected a value that JSON can hold',
    ],
    [{ detail: { type: 't', actions: 'read' } }, 'requirement.detail.actions: '],
    [{ detail: { type: 't', actions: [''] } }, 'requirement.detail.actions.0: expected a text'],
    [{ detail: [file('d', 'read')] }, 'requirement.detail: '],
  ])('must not be %j', (requirement, message) => {
    expect(() => parseRequirement(requirement)).toThrow(TypeError)
    expect(() => parseRequirement(requirement)).toThrow(message)
  })

  it('is a copy that later changes do not affect', () => {
    const detail = file('doc_1', 'read')
    const parsed = parseRequirement({ detail })

    detail.actions?.push('write')

    expect(parsed).toEqual({ detail: file('doc_1', 'read') })
  })

  it('of any value admits no token without scope and details, unless it is { token: "any" }', () => {
    const guard = createGuard({
      issuers: [issuer],
      audience: here,
      keys,
      now: () => start,
      revocation: 'expiry',
    })
    const names = fc.constantFrom('token', 'scope', 'detail', 'details', 'scopes', 'Token', 'type')
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, '', 'any', ' ', 'a'))
    const anything = fc.oneof(fc.anything(), fc.dictionary(names, values, { maxKeys: 3 }))
    const claims = { iss: '', sub: '', aud: '', client_id: '', iat: 0, exp: 0, jti: '' }
    fc.assert(
      fc.property(anything, (value) => {
        const isOpen =
          JSON.stringify(value) === '{"token":"any"}' && Object.keys(value as object).length === 1
        try {
          const requirement = parseRequirement(value)
          expect(guard.allows(claims, requirement)).toBe(isOpen)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(TypeError)
        }
      }),
    )
  })

  it('that was not parsed admits no token either', () => {
    const guard = createGuard({
      issuers: [issuer],
      audience: here,
      keys,
      now: () => start,
      revocation: 'expiry',
    })
    const claims = { iss: '', sub: '', aud: '', client_id: '', iat: 0, exp: 0, jti: '', scope: '' }

    expect(guard.allows(claims, { scope: '' })).toBe(false)
    expect(() => guard.allows(claims, {} as never)).toThrow(TypeError)
    expect(() => guard.allows(claims, { token: 'all' } as never)).toThrow(TypeError)
  })
})
