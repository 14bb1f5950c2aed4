import { describe, expect, it } from 'vitest'
import { AgentsMe, Ask } from '../../../server/wire/agent.ts'
import { Jwks } from '../../../server/wire/discovery.ts'
import { Condition, TimeWindow } from '../../../server/wire/policy.ts'
import { TenantSeed } from '../../../server/wire/seed.ts'
import { CreateStream, pollDelivery, pushDelivery } from '../../../server/wire/signal.ts'
import { CreateTask } from '../../../server/wire/task.ts'
import { AuthorizationDetailsText, TokenForm } from '../../../server/wire/token.ts'

describe('CreateTask', () => {
  it.each([
    [{}],
    [{ name: 'Q4 report' }],
    [{ task_description: 'Q4 report', required_scopes: ['reports:read'] }],
  ])('accepts %j', (order) => {
    expect(CreateTask.parse(order)).toEqual(order)
  })

  it.each([
    ['required_scopes', { task_description: 'Q4 report' }],
    ['task_description', { required_scopes: ['reports:read'] }],
  ])('in the older form requires %s, too', (missing, order) => {
    expect(CreateTask.safeParse(order).error?.issues).toEqual([
      { code: 'custom', path: [missing], message: `expected ${missing} beside the other` },
    ])
  })
})

describe('AgentsMe', () => {
  const identity = { id: 'agent_1', type: 'agent', tenant: 'acme' }

  it('requires an id in one form, in the other, or in both', () => {
    expect(AgentsMe.safeParse({ identity }).success).toBe(true)
    expect(AgentsMe.safeParse({ agent_id: 'agent_1' }).success).toBe(true)
    expect(AgentsMe.safeParse({ identity, agent_id: 'agent_1' }).success).toBe(true)
    expect(AgentsMe.safeParse({ name: 'Analyst' }).error?.issues).toMatchObject([
      { message: 'expected identity or agent_id' },
    ])
  })
})

describe('CreateStream', () => {
  it('requires an endpoint_url for push delivery', () => {
    const endpoint_url = 'https://receiver.example/signals'

    expect(
      CreateStream.safeParse({ delivery: { method: pushDelivery, endpoint_url } }).success,
    ).toBe(true)
    expect(CreateStream.safeParse({ delivery: { method: pollDelivery } }).success).toBe(true)
    expect(
      CreateStream.safeParse({ delivery: { method: pushDelivery } }).error?.issues,
    ).toMatchObject([{ path: ['delivery', 'endpoint_url'], message: 'expected a URL to push to' }])
  })
})

describe('TokenForm', () => {
  const grant_type = 'client_credentials'

  it.each(['resource', 'audience'])('parses %s as a list, repeated or not', (name) => {
    expect(TokenForm.parse({ grant_type, [name]: 'a' })).toEqual({ grant_type, [name]: ['a'] })
    expect(TokenForm.parse({ grant_type, [name]: ['a', 'b'] })).toEqual({
      grant_type,
      [name]: ['a', 'b'],
    })
  })

  it('parses authorization_details as a JSON array (RFC 9396 §2)', () => {
    expect(AuthorizationDetailsText.parse('[{"type":"file_access"}]')).toEqual([
      { type: 'file_access' },
    ])
  })

  it.each([
    ['no JSON', '[{', 'custom'],
    ['no array', '{"type":"file_access"}', 'invalid_type'],
  ])('rejects authorization_details that are %s', (_says, text, code) => {
    expect(AuthorizationDetailsText.safeParse(text).error?.issues).toMatchObject([
      { code, path: [], message: 'expected a JSON array of objects' },
    ])
  })
})

describe('authorization_details in a form', () => {
  it('are rejected when their JSON is nested too deeply', () => {
    const text = `[${'['.repeat(64)}${']'.repeat(64)}]`

    expect(AuthorizationDetailsText.safeParse(text).error?.issues).toEqual([
      {
        code: 'custom',
        path: [],
        message: 'expected JSON within bounds; it is nested deeper than 64 levels',
      },
    ])
  })
})

describe('Ask', () => {
  it('needs an action or a question', () => {
    for (const asked of [{ action: 'a' }, { question: 'q' }, { action: 'a', question: 'q' }]) {
      expect(Ask.safeParse(asked).success).toBe(true)
    }
    expect(Ask.safeParse({ context: {} }).error?.issues).toMatchObject([
      { path: ['action'], message: 'expected an action (or a question)' },
    ])
  })
})

describe('Jwks', () => {
  const key = { kty: 'EC', kid: 'key_1', use: 'sig', alg: 'ES256', x: 'AA', y: 'AA' }

  it('rejects a private key', () => {
    expect(Jwks.parse({ keys: [key] })).toEqual({ keys: [key] })
    expect(Jwks.safeParse({ keys: [key, { ...key, d: 'AA' }] }).error?.issues).toMatchObject([
      { path: ['keys', 1], message: 'expected a public key: "d" is a private member' },
    ])
  })
})

describe('TenantSeed', () => {
  it('accepts a misbehaviour as a name or as an object', () => {
    const { misbehave } = TenantSeed.parse({
      misbehave: ['token.leaked', { name: 'slow', ms: 5 }],
    })

    expect(misbehave).toEqual([{ name: 'token.leaked' }, { name: 'slow', ms: 5 }])
  })
})

describe('a time window in a policy', () => {
  const problems = (window: object) =>
    TimeWindow.safeParse(window).error?.issues.map(({ path, message }) => `${path}: ${message}`)

  it.each(['Europe/Berlin', 'UTC', 'Asia/Kathmandu'])('may be in the zone %s', (zone) => {
    expect(problems({ zone })).toBeUndefined()
  })

  it.each(['', '+05:30', '5Europe/Berlin', ' UTC', 'Moon/Base', '/UTC'])(
    'must not be in the zone %j',
    (zone) => {
      expect(problems({ zone })).toEqual(['zone: expected an IANA time zone such as Europe/Berlin'])
    },
  )

  it('must not be empty', () => {
    const empty = 'to: expected from and to to differ: an empty window never matches'

    expect(problems({ from: '09:00', to: '09:00' })).toEqual([empty])
    expect(problems({ from: '09:00', to: '08:00' })).toBeUndefined()
    expect(problems({ days: ['mon'] })).toBeUndefined()
  })
})

describe('a pattern in a policy', () => {
  const lacking = (pattern: string) =>
    Condition.safeParse({ justification_lacks: { pattern } }).error?.issues

  it.each(['Q[1-4]', '\\bQ4\\b', '(?:a|b)', '\\p{Lu}', '\\(?=x'])('may be %s', (pattern) => {
    expect(lacking(pattern)).toBeUndefined()
  })

  it.each(['(a)\\1', '\\k<a>', '(?=a)', '(?!a)', '(?<=a)', '(?<!a)', '(a)\\9'])(
    'must have no back-reference and no look-around: %s',
    (pattern) => {
      expect(lacking(pattern)).toMatchObject([
        { code: 'custom', message: 'expected a pattern without back-references and look-around' },
      ])
    },
  )

  // The last two are valid patterns only without the Unicode flag.
  it.each(['(a', '[', '*', 'a{', '\\-'])('must be a regular expression: not %s', (pattern) => {
    expect(lacking(pattern)).toMatchObject([
      {
        code: 'custom',
        path: ['justification_lacks', 'pattern'],
        message: 'expected a regular expression',
      },
    ])
  })
})
