import { describe, expect, it } from 'vitest'
import { readAgentScenario } from '../../../../scenarios/checks/agent/load.ts'
import {
  compareBaseline,
  readBaseline,
  renewBaseline,
} from '../../../../scenarios/checks/baseline.ts'
import { differencesFrom } from '../../../../scenarios/checks/contract-diff.ts'
import { deviationsOf, type Judged, rulesOf } from '../../../../scenarios/checks/deviations.ts'
import { statement, statementJson } from '../../../../scenarios/checks/statement.ts'
import type { Failure, Result } from '../../../../scenarios/runner/verdict.ts'
import { violationsOfText } from '../../../../scenarios/runner/violations.ts'

const at = { file: 'a.yaml', line: 3, column: 1 }
const failure = (message: string, more: Partial<Failure> = {}): Failure => ({
  kind: 'expectation',
  code: 'unmet',
  message,
  at,
  excerpt: '',
  step: '1',
  differences: [],
  violations: [],
  ...more,
})
const result = (covers: string[], more: Partial<Result> = {}): Result => ({
  title: `About ${covers.join()}`,
  file: 'a.yaml',
  line: 1,
  theme: 'theme',
  covers,
  tags: [],
  prefix: 'tenant',
  target: 'real',
  round: 1,
  verdict: 'passed',
  failures: [],
  steps: [],
  exchanges: [],
  tokens: [],
  duration: 1,
  ...more,
})
/** Without a catalogue every rule belongs to the seat under test. */
const issuer: Judged = { seat: 'issuer', rules: new Map() }
const broken = (covers: string[], ...failures: Failure[]) =>
  result(covers, { verdict: 'failed', failures })

describe('the broken rule of a failure', () => {
  const rulesIn = (it: Result) => deviationsOf([it], issuer).map(({ rule }) => rule)

  it('is the one the scenario covers', () => {
    expect(rulesIn(broken(['CC-07'], failure('does not match')))).toEqual(['CC-07'])
  })

  it('is the one the failure names, if any', () => {
    const named = failure('did not complete its task', { rules: ['AGENT-COMPLETES'] })

    expect(rulesIn(broken(['CC-05'], named))).toEqual(['AGENT-COMPLETES'])
  })

  const json = 'application/json'
  const approved = {
    request_id: 'jpr_1',
    task_id: 'task_1',
    status: 'approved',
    risk_level: 'low',
    granted_ttl: 600,
    token_url: '/t/x/api/v1/jit/request/jpr_1/token',
    authorization_details: { type: 'file_access' },
  }
  const { token_url: _, ...unnamed } = approved

  it.each([
    ['a page', 'LUMO-CONTENT-TYPE', 'text/html', '<html>'],
    ['no content type', 'LUMO-JSON-OBJECT', undefined, '{}'],
    ['no JSON', 'LUMO-JSON-OBJECT', json, '{'],
    ['no status_url while pending', 'LUMO-STATUS-URL', json, { ...unnamed, status: 'pending' }],
    ['null for a text', 'LUMO-NO-NULL', json, { ...approved, review_notes: null }],
    ['no request_id', 'LUMO-STATUS-ID', json, { ...approved, request_id: undefined }],
    ['a lifetime of an hour', 'LUMO-TTL-MAX', json, { ...approved, granted_ttl: 3600 }],
    [
      'a list of details',
      'LUMO-DETAILS-OBJECT',
      json,
      { ...approved, authorization_details: [{ type: 'file_access' }] },
    ],
    ['details without a type', 'RAR-10', json, { ...approved, authorization_details: {} }],
  ])(
    'is the contract’s where an answer breaks it, whatever its message: %s',
    (_, rule, type, body) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
      const violations = violationsOfText('jit.request', 201, headers, text)

      expect(violations).not.toEqual([])
      expect(
        rulesIn(
          broken(
            ['RAR-20'],
            failure('it is broken', {
              kind: 'violation',
              code: 'contract_broken',
              route: 'jit.request',
              violations: violations.map((it) => ({ ...it, message: 'reworded' })),
            }),
          ),
        ),
      ).toEqual([rule])
    },
  )

  it('includes the covered one where success was expected', () => {
    const refused = failure('no', { kind: 'violation', code: 'refused_and_broken' })

    expect(rulesIn(broken(['RAR-20'], refused))).toEqual(['RAR-20'])
  })

  it.each([
    ['timeout', 'NET-TIMELY'],
    ['connection_closed', 'NET-COMPLETE'],
    ['unreachable', 'RAR-20'],
  ] as const)('is one of the network where no answer arrived: %s', (code, rule) => {
    expect(rulesIn(broken(['RAR-20'], failure('no', { kind: 'crash', code })))).toEqual([rule])
  })
})

describe('the verdict on a rule', () => {
  it('is skipped with the reasons where no scenario could check it', () => {
    const results = [
      result(['CC-07']),
      result(['HITL-03'], { verdict: 'skipped', reason: 'it takes 600 s' }),
      broken(['CC-09'], failure('no')),
    ]

    expect(
      rulesOf(results, issuer).map(({ rule, verdict, reasons }) => [rule, verdict, reasons]),
    ).toEqual([
      ['CC-07', 'passed', []],
      ['CC-09', 'failed', []],
      ['HITL-03', 'skipped', ['it takes 600 s']],
    ])
  })
})

describe('a baseline', () => {
  const results = [
    broken(['CC-07'], failure('no')),
    broken(['CC-09'], failure('no')),
    result(['CC-05']),
    result(['HITL-03'], { verdict: 'skipped', reason: 'slow' }),
  ]
  const deviations = deviationsOf(results, issuer)

  it('distinguishes known from fresh deviations, and fails an entry whose rule is kept', () => {
    const baseline = readBaseline(
      'b.yaml',
      'CC-07: they know\nCC-05: they knew\nHITL-03: who knows\n',
    )

    expect(compareBaseline(baseline, deviations, rulesOf(results, issuer))).toEqual({
      fresh: ['CC-09'],
      known: ['CC-07'],
      stale: ['CC-05'],
    })
  })

  it('keeps its reasons when it is updated', () => {
    const text = renewBaseline({ 'CC-07': 'they know' }, deviations)

    expect(readBaseline('b.yaml', text)).toEqual({
      'CC-07': 'they know',
      'CC-09': 'seen in: About CC-09',
    })
  })

  it('reports an error with its position', () => {
    expect(() => readBaseline('b.yaml', 'cc-07: lower case\n')).toThrow(/^b\.yaml:1:1: /)
  })
})

describe('the conformance statement', () => {
  const results = [broken(['CC-07'], failure('no | store')), result(['CC-05'])]
  const runs = [{ target: 'real', startedAt: 0, duration: 5, results }]
  const subject = {
    seat: 'issuer' as const,
    name: 'staging',
    where: 'https://a.example',
    harness: '1.2.3',
    facts: ['dialect: token_typ JWT'],
    rules: new Map([
      ['CC-07', { seat: 'issuer' as const, says: 'What CC-07 says' }],
      ['CC-05', { seat: 'issuer' as const, says: 'What CC-05 says' }],
    ]),
    compared: { fresh: ['CC-07'], known: [], stale: [] },
    leftovers: ['the task t is not completed'],
  }

  it('has the subject, the version and the verdict on each rule', () => {
    const text = statement(subject, runs)

    expect(text).toContain('lumoauth-harness 1.2.3, at https://a.example')
    expect(text).toContain('2 rules: 1 kept, 1 broken, 0 not tested.')
    expect(text).toContain('| CC-07 | What CC-07 says | no \\| store |')
    expect(text).toContain('the task t is not completed')
  })

  it('has the same content as JSON', () => {
    expect(JSON.parse(statementJson(subject, runs))).toMatchObject({
      target: 'staging',
      counts: { passed: 1, failed: 1 },
      fresh: ['CC-07'],
      deviations: [{ rule: 'CC-07', file: 'a.yaml', line: 3 }],
    })
  })
})

describe('an OpenAPI file against the contract', () => {
  const found = differencesFrom({
    openapi: '3.1.0',
    paths: {
      '/orgs/{orgId}/api/v1/jit/task': {
        post: {
          requestBody: {
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Task' } } },
          },
          responses: { '204': {} },
        },
      },
      '/orgs/{orgId}/api/v1/jit/rewind': { get: {} },
    },
    components: { schemas: { Task: { type: 'object', properties: { colour: {}, name: {} } } } },
  })

  it('differs in members and statuses', () => {
    const says = found.filter((it) => it.kind === 'differs').map((it) => it.says)

    expect(says[0]).toBe('in the body of jit.task.create, the document also has colour')
    expect(says.at(-1)).toBe('succeeds with 204, in the contract with 200 or 201')
  })

  it('lists what only one of both has', () => {
    expect(found).toContainEqual(
      expect.objectContaining({ kind: 'only there', at: 'GET /jit/rewind' }),
    )
    expect(found).toContainEqual(
      expect.objectContaining({ kind: 'only here', route: 'jit.task.complete' }),
    )
  })
})

describe('an agent scenario', () => {
  it('reports an error with its position', () => {
    const { problems } = readAgentScenario(
      'a.yaml',
      'scenario: Something happens\ncovers: [CC-05]\nworld:\n  - { when: { route: jit.reqest }, revoke: jit }\n',
    )

    expect(problems.map(({ at, message }) => `${at.line}: ${message}`)).toEqual([
      '4: no route "jit.reqest"; did you mean "jit.request"?',
    ])
  })
})
