import { describe, expect, it } from 'vitest'
import {
  accessOf,
  missingVariables,
  readTarget,
} from '../../../../scenarios/targets/real/access.ts'

const problemsOf = (text: string) =>
  readTarget('target.yaml', text).problems.map(
    ({ at, message }) => `${at.line}:${at.column}: ${message}`,
  )

const sound = `
issuer: { url: "https://app.lumoauth.dev", tenant: acme }
agents: [{ name: bot, client_id: bot, client_secret_env: BOT_SECRET }]
users: [{ email: ada@corp.example, token_env: ADA, permissions: [jit.approve] }]
`

describe('a target file', () => {
  it('reports every error with its line and column', () => {
    const problems = problemsOf(
      'issuer:\n  url: app.lumoauth.dev\n  tenant: acme\n  prefx: auto\nlimits: { requests: -1 }\n',
    )

    expect(problems).toEqual([
      '2:8: expected an http(s) URL, not "app.lumoauth.dev"',
      '4:3: unknown key "prefx"; did you mean "prefix"?',
      expect.stringMatching(/^5:21: expected at least 1, not -1/),
    ])
  })

  it('rejects secrets and accepts the name of their environment variable', () => {
    const problems = problemsOf(
      'issuer: { url: "https://a.example", tenant: a }\nagents:\n  - name: bot\n    client_id: bot\n    client_secret: hunter2\n',
    )

    expect(problems).toContain(
      '5:5: secrets are not allowed in this file; client_secret_env names the environment variable of the secret',
    )
    expect(problems.join()).not.toContain('hunter2')
  })

  it('requires a tenant, unless prefix is none', () => {
    expect(problemsOf('issuer: { url: "https://a.example" }')).toEqual([
      expect.stringContaining('expected tenant, or prefix: none'),
    ])
    expect(problemsOf('issuer: { url: "https://a.example", prefix: none }')).toEqual([])
  })

  it('checks the values of dialect switches', () => {
    expect(
      problemsOf('issuer: { url: "https://a.example", tenant: a, dialect: { token_typ: jwt } }'),
    ).toEqual(['1:70: expected at+jwt, JWT, not "jwt"'])
  })

  it('has default limits', () => {
    expect(readTarget('t', sound).file?.limits).toEqual({
      requests_per_minute: 600,
      requests: 5000,
      wait: 10,
      timeout: 10,
      person: 300,
    })
  })

  it('reads its secrets from the environment', () => {
    const { file } = readTarget('t', sound)
    if (file === undefined) throw new Error('it is sound')

    expect(missingVariables(file, { ADA: '' })).toEqual(['BOT_SECRET', 'ADA'])
    expect(accessOf(file, { BOT_SECRET: 's3cret', ADA: 'a-token' })).toMatchObject({
      agents: [{ name: 'bot', client_id: 'bot', client_secret: 's3cret' }],
      users: [{ email: 'ada@corp.example', token: 'a-token' }],
    })
  })
})
