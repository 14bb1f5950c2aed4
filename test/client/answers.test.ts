import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import {
  Completion,
  Evaluation,
  JitToken,
  Pending,
  PermissionAnswer,
  RefusalBody,
  Task,
  TokenGrant,
  UserInfo,
} from '../../client/answers.ts'
import { reading } from './world.ts'

describe('a response of the issuer', () => {
  it.each<[string, z.ZodType, unknown]>([
    ['a token without a value', TokenGrant, { expires_in: 60 }],
    ['a token with an empty value', TokenGrant, { access_token: '', expires_in: 60 }],
    ['a task without an id', Task, { caep_session_id: 'x' }],
    ['a task with an empty id', Task, { task_id: '' }],
    ['a request without an id', PermissionAnswer, { status: 'pending' }],
    ['a request with an empty id', PermissionAnswer, { request_id: '', status: 'pending' }],
    ['a request without a status', PermissionAnswer, { request_id: 'jit_1' }],
    ['a request with an empty status', PermissionAnswer, { request_id: 'jit_1', status: '' }],
    ['a JIT token without a value', JitToken, { expires_in: 60 }],
    ['a JIT token with an empty value', JitToken, { access_token: '', expires_in: 60 }],
    ['a list of requests, one of which has no id', Pending, [{ request_id: 'a' }, {}]],
    ['a list under an unknown name', Pending, { others: [] }],
    ['userinfo without sub', UserInfo, { name: 'Bot' }],
    ['a text for a completion', Completion, 'done'],
  ])('is rejected when it is %s', (_says, schema, answer) => {
    expect(schema.safeParse(answer).success).toBe(false)
  })

  it.each<[string, z.ZodType, unknown, unknown]>([
    [
      'a token',
      TokenGrant,
      { access_token: 't', expires_in: 60, more: 1 },
      { access_token: 't', expires_in: 60, more: 1 },
    ],
    ['a token for ever', TokenGrant, { access_token: 't', expires_in: 0 }, { expires_in: 3600 }],
    ['a JIT token of no lifetime', JitToken, { access_token: 't' }, { expires_in: 0 }],
    [
      'a JIT token',
      JitToken,
      { access_token: 't', expires_in: 60, authorization_details: [reading('d')] },
      { expires_in: 60, authorization_details: [reading('d')] },
    ],
    [
      'a JIT token with details that are none',
      JitToken,
      { access_token: 't', authorization_details: 'all' },
      { authorization_details: undefined },
    ],
    [
      'a task',
      Task,
      { task_id: 't', caep_session_id: 'c', expires_at: 'e' },
      { task_id: 't', caep_session_id: 'c', expires_at: 'e' },
    ],
    [
      'a task with a time of another kind',
      Task,
      { task_id: 't', caep_session_id: 7, expires_at: 7 },
      { task_id: 't', caep_session_id: undefined, expires_at: undefined },
    ],
    [
      'a request with all that can be said of it',
      PermissionAnswer,
      {
        request_id: 'jit_1',
        status: 'approved',
        risk_level: 'low',
        granted_ttl: 60,
        interval: 5,
        message: 'm',
        review_notes: 'n',
        deny_reason: 'r',
      },
      {
        risk_level: 'low',
        granted_ttl: 60,
        interval: 5,
        message: 'm',
        review_notes: 'n',
        deny_reason: 'r',
      },
    ],
    [
      'a request with nonsense beside',
      PermissionAnswer,
      {
        request_id: 'jit_1',
        status: 'approved',
        risk_level: 1,
        granted_ttl: 'x',
        interval: 0,
        message: 1,
        review_notes: 1,
        deny_reason: 1,
      },
      {
        risk_level: undefined,
        granted_ttl: undefined,
        interval: undefined,
        message: undefined,
        review_notes: undefined,
        deny_reason: undefined,
      },
    ],
    [
      'an evaluation with nonsense',
      Evaluation,
      { active: 'yes', action: 1, events: [{}] },
      { active: undefined, action: undefined, events: undefined },
    ],
    [
      'an evaluation',
      Evaluation,
      { active: true, action: 'suspend', events: [{ type: 'x' }] },
      { active: true, action: 'suspend', events: [{ type: 'x' }] },
    ],
    [
      'a completion with nonsense',
      Completion,
      { task_id: 1, status: 1 },
      { task_id: undefined, status: undefined },
    ],
    ['a name with nonsense', UserInfo, { sub: 'bot', name: 1 }, { sub: 'bot', name: undefined }],
    [
      'a refusal',
      RefusalBody,
      {
        error: 'e',
        code: 'c',
        error_description: 'd',
        message: 'm',
        detail: 't',
        interval: 5,
        retry_after: 0,
      },
      {
        error: 'e',
        code: 'c',
        error_description: 'd',
        message: 'm',
        detail: 't',
        interval: 5,
        retry_after: 0,
      },
    ],
    [
      'a refusal with nonsense',
      RefusalBody,
      {
        error: true,
        code: 1,
        error_description: [],
        message: null,
        detail: [],
        interval: 0,
        retry_after: -1,
      },
      {
        error: undefined,
        code: undefined,
        error_description: undefined,
        message: undefined,
        detail: undefined,
        interval: undefined,
        retry_after: undefined,
      },
    ],
  ])('is read without its invalid members when it is %s', (_says, schema, answer, expected) => {
    expect(schema.parse(answer)).toMatchObject(expected as object)
  })

  it.each([
    [[{ request_id: 'a' }]],
    [{ requests: [{ request_id: 'a' }] }],
    [{ pending_requests: [{ request_id: 'a' }] }],
    [{ data: [{ request_id: 'a' }] }],
  ])('is the same list of requests as %j', (answer) => {
    expect(Pending.parse(answer)).toEqual([{ request_id: 'a' }])
  })

  it('may be empty when a task is completed', () => {
    expect([Completion.parse(null), Completion.parse(undefined)]).toEqual([null, undefined])
  })
})
