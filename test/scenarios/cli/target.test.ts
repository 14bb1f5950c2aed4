import { describe, expect, it } from 'vitest'
import { askForTarget } from '../../../scenarios/cli/target.ts'

/** Asks, with these answers in order. */
const asked = async (...given: string[]) => {
  const said: string[] = []
  const left = [...given]
  const answers = await askForTarget(
    async () => left.shift() ?? '',
    (line) => said.push(line),
  )
  expect(left).toEqual([])
  return { answers, said }
}

describe('target init, on a terminal,', () => {
  it('asks again after an answer that it cannot use, and says what it expects', async () => {
    const { answers, said } = await asked(
      ...['app.lumoauth.dev', 'ftp://x', 'https://app.example.com', 'acme corp', 'acme'],
      ...['MY-ID', 'MY_ID', '', '$TOKEN', 'TOKEN'],
    )

    expect(answers).toEqual({
      issuer: 'https://app.example.com',
      tenant: 'acme',
      clientIdEnv: 'MY_ID',
      clientSecretEnv: 'AGENT_CLIENT_SECRET',
      approverEnv: 'TOKEN',
    })
    expect(said).toEqual([
      'expected a URL such as https://app.lumoauth.dev, received "app.lumoauth.dev"',
      'expected a URL such as https://app.lumoauth.dev, received "ftp://x"',
      'expected a slug such as acme-corp, or nothing, received "acme corp"',
      'expected the name of an environment variable, such as AGENT_CLIENT_ID, received "MY-ID"',
      'expected the name of an environment variable, such as APPROVER_TOKEN, or nothing, received "$TOKEN"',
    ])
  })

  it('takes an OAuth server without organisations', async () => {
    const { answers } = await asked('http://127.0.0.1:9000', '')

    expect(answers).toMatchObject({ issuer: 'http://127.0.0.1:9000', tenant: undefined })
  })
})
