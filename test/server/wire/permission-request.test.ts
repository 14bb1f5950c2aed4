import { describe, expect, it } from 'vitest'
import {
  PendingRequests,
  PermissionRequest,
  pendingIn,
  RequestPermission,
} from '../../../server/wire/permission-request.ts'

const detail = { type: 'file_access', actions: ['read'], identifier: 'doc_1' }

describe('RequestPermission', () => {
  it('accepts one detail, or a list of exactly one', () => {
    const asked = { task_id: 'task_1', authorization_details: detail }

    expect(RequestPermission.parse(asked)).toEqual(asked)
    expect(RequestPermission.parse({ ...asked, authorization_details: [detail] })).toEqual(asked)
  })

  it('accepts a detail with or without a justification', () => {
    const asked = { task_id: 'task_1', authorization_details: detail, justification: 'Q4' }

    expect(RequestPermission.parse(asked)).toEqual(asked)
  })

  it('accepts a scope with a justification', () => {
    const asked = { task_id: 'task_1', scope: 'reports:read', justification: ' Q4 ' }

    expect(RequestPermission.parse(asked)).toEqual(asked)
  })

  it.each([
    [
      'neither a detail nor a scope',
      {},
      ['authorization_details'],
      'expected one authorization detail (an object with a type)',
    ],
    [
      'a justification alone',
      { justification: 'Q4' },
      ['authorization_details'],
      'expected one authorization detail (an object with a type)',
    ],
    [
      'a detail and a scope',
      { authorization_details: detail, scope: 'reports:read', justification: 'Q4' },
      ['scope'],
      'expected a detail or a scope, not both',
    ],
    [
      'a scope without a justification',
      { scope: 'reports:read' },
      ['justification'],
      'expected a justification',
    ],
    [
      'a scope and an empty justification',
      { scope: 'reports:read', justification: '' },
      ['justification'],
      'expected a justification',
    ],
    [
      'a scope and a justification of spaces',
      { scope: 'reports:read', justification: '  ' },
      ['justification'],
      'expected a justification',
    ],
  ])('rejects %s', (_says, asked, path, message) => {
    const { error } = RequestPermission.safeParse({ task_id: 'task_1', ...asked })

    expect(error?.issues).toEqual([{ code: 'custom', path, message }])
  })
})

describe('a PermissionRequest in a response', () => {
  const request = {
    request_id: 'req_1',
    risk_level: 'low',
    task_id: 'task_1',
    authorization_details: detail,
  }
  const complaints = (it: object) =>
    PermissionRequest.safeParse({ ...request, ...it }).error?.issues.map(({ message }) => message)

  it('requires status_url while it is pending', () => {
    expect(complaints({ status: 'pending', status_url: '/jit/request/req_1' })).toBeUndefined()
    expect(complaints({ status: 'pending', token_url: '/jit/token' })).toEqual([
      'a pending request carries status_url',
    ])
  })

  it('requires token_url once it is approved', () => {
    expect(complaints({ status: 'approved', token_url: '/jit/token' })).toBeUndefined()
    expect(complaints({ status: 'approved', status_url: '/jit/request/req_1' })).toEqual([
      'an approved request carries token_url',
    ])
  })

  it.each(['denied', 'expired', 'revoked'])('requires neither when it is %s', (status) => {
    expect(complaints({ status })).toBeUndefined()
  })
})

describe('a pending list', () => {
  const requests = [{ request_id: 'req_1' }]
  const counted = { data: requests, count: 1, pagination: { total: 1, page: 1, limit: 50 } }

  it.each([
    ['all its names', { requests, pending_requests: requests, ...counted }],
    ['the name of the spec', { pending_requests: requests, ...counted }],
    ['the name of the SDKs', { requests }],
    ['no name', requests],
  ])('is read under %s', (_, list) => {
    expect(pendingIn(PendingRequests.parse(list))).toEqual(requests)
  })
})
